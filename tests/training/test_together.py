import pytest
import torch

from shared.errors import DataError, ReelmoodError
from training.together import Meeting, helped


def test_alone_nobody_is_met() -> None:
    with helped(1, torch.device("cuda"), print) as meeting:
        assert meeting is None


@pytest.mark.parametrize("device", ["cuda", "cuda:0"])
def test_processes_on_gpus_need_one_each(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with (
        pytest.raises(DataError, match="2 processes need --device cuda and 2 GPUs: 1 here"),
        helped(2, torch.device(device), print),
    ):
        raise AssertionError


def test_nobody_is_waited_for_who_has_ended() -> None:
    with (
        pytest.raises(ReelmoodError, match=r"a process that shares the run has ended: .*nobody"),
        helped(2, torch.device("cpu"), fail, "nobody"),
    ):
        raise RuntimeError("the connection is gone")


def fail(meeting: Meeting, reason: str) -> None:
    raise ValueError(meeting, reason)
