import pytest
import torch

from shared.errors import DataError
from training.together import helped


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
