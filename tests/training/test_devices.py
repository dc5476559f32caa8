import pytest
import torch

from shared.errors import DataError
from training.devices import autocast, choose_device, describe


def test_auto_takes_a_gpu_when_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device().type == "cuda"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device().type == "cpu"


@pytest.mark.parametrize("name", ["cuda:99", "abacus", "meta:x"])
def test_a_device_that_is_not_there_is_named(name: str) -> None:
    with pytest.raises(DataError, match=f"device {name} cannot be used"):
        choose_device(name)


@pytest.mark.parametrize("fast", [True, False])
def test_precision_follows_the_processor(monkeypatch: pytest.MonkeyPatch, fast: bool) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": fast})
    device = torch.device("cpu")
    with autocast(device):
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    assert product.dtype == (torch.bfloat16 if fast else torch.float32)
    assert describe(device).endswith("bfloat16" if fast else "float32")


def test_a_processor_that_says_nothing_computes_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)
    assert describe(torch.device("cpu")).endswith("float32")
