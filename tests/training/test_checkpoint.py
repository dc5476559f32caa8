from pathlib import Path
from typing import Any

import pytest
import torch

from shared.errors import DataError
from training.checkpoint import read_state, write_state


def test_state_comes_back(tmp_path: Path) -> None:
    state = {"epoch": 3, "history": [{"loss": 0.5}], "model": {"weight": torch.randn(2, 3)}}
    write_state(tmp_path / "state.pt", state)
    again = read_state(tmp_path / "state.pt")
    assert again is not None
    assert torch.equal(again["model"]["weight"], state["model"]["weight"])  # type: ignore[index]
    assert (again["epoch"], again["history"]) == (3, [{"loss": 0.5}])


def test_no_state_is_none(tmp_path: Path) -> None:
    assert read_state(tmp_path / "state.pt") is None


def test_an_interrupted_write_leaves_the_old_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_state(tmp_path / "state.pt", {"epoch": 1})

    def break_off(state: dict[str, Any], path: Path) -> None:
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", break_off)
    with pytest.raises(KeyboardInterrupt):
        write_state(tmp_path / "state.pt", {"epoch": 2})
    assert read_state(tmp_path / "state.pt") == {"epoch": 1}


class Code:
    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("run",)


def test_code_in_a_state_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"epoch": Code()}, tmp_path / "state.pt")
    with pytest.raises(DataError, match=r"state\.pt is no training state"):
        read_state(tmp_path / "state.pt")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("content", [b"", b"damaged"])
def test_a_damaged_state_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "state.pt").write_bytes(content)
    with pytest.raises(DataError, match=r"state\.pt is no training state"):
        read_state(tmp_path / "state.pt")
