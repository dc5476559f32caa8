import pytest
import torch

from services.worker.device import (
    DeviceFullError,
    DeviceLostError,
    describe,
    faults_named,
    resolve,
    use_one_thread,
)
from shared.errors import ReelmoodError


def _pretend(monkeypatch: pytest.MonkeyPatch, gpus: int) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)


@pytest.mark.parametrize(
    ("name", "gpus", "expected"),
    [
        ("auto", 0, "cpu"),
        ("auto", 2, "cuda:0"),
        ("cpu", 2, "cpu"),
        ("cuda", 1, "cuda:0"),
        ("cuda:1", 2, "cuda:1"),
    ],
)
def test_a_device_is_chosen(monkeypatch: pytest.MonkeyPatch, name: str, gpus: int, expected: str) -> None:
    _pretend(monkeypatch, gpus)
    assert resolve(name) == torch.device(expected)


@pytest.mark.parametrize(("name", "gpus"), [("cuda", 0), ("cuda:0", 0), ("cuda:2", 2)])
def test_a_device_that_is_not_there_is_an_error(
    monkeypatch: pytest.MonkeyPatch, name: str, gpus: int
) -> None:
    _pretend(monkeypatch, gpus)
    with pytest.raises(ReelmoodError, match=f"device {name} cannot be used"):
        resolve(name)


def test_a_device_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"card {device.index}")
    assert describe(torch.device("cpu")) == "cpu"
    assert describe(torch.device("cuda", 1)) == "cuda:1 (card 1)"


def test_one_thread_is_used() -> None:
    torch.set_num_threads(2)
    use_one_thread()
    assert torch.get_num_threads() == 1


@pytest.mark.parametrize(
    ("raised", "named"),
    [
        (torch.OutOfMemoryError("CUDA out of memory.\nTried"), DeviceFullError),
        (torch.AcceleratorError("CUDA error: an illegal memory access\nhint"), DeviceLostError),
        (RuntimeError("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED"), DeviceLostError),
    ],
)
def test_faults_of_the_device_are_named_in_one_line(raised: Exception, named: type[Exception]) -> None:
    with pytest.raises(named) as caught, faults_named():
        raise raised
    assert "CUDA" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_other_faults_stay_what_they_are() -> None:
    with pytest.raises(RuntimeError, match=r"^shapes differ$"), faults_named():
        raise RuntimeError("shapes differ")
