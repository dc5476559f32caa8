"""`reelmood ablate`; its runs are tested in tests/training/ablation."""

from pathlib import Path

import pytest

from tests.services.commands.conftest import Reelmood
from tests.training.conftest import write_tree


def test_the_tables_are_printed_and_kept(tmp_path: Path, reelmood: Reelmood) -> None:
    data, out = write_tree(tmp_path / "data", train=3, test=1), tmp_path / "out"
    options = ("--epochs", 1, "--limit", 7, "--batch-size", 7, "--presets", "standard", "--lora", "none")
    arguments = ("ablate", "--data", data, "--out", out, "--model", "nano", *options, "--seeds", "4")
    answer = reelmood(*arguments)
    assert answer.code == 0, answer.err
    assert answer.out.strip() == (out / "ablation.md").read_text().strip()
    assert " ".join(map(str, arguments)) in answer.out
    assert "| Standard | 4 |" in answer.out


@pytest.mark.parametrize(
    ("option", "told"),
    [
        (("--presets", "standard,everything"), "--presets 'everything' is none of modern, standard"),
        (("--lora", "none,0"), "--lora '0' is none of none or ranks"),
        (("--seeds", "0,,1"), "--seeds '' is none of whole numbers from 0"),
        (("--seeds", "-1"), "--seeds '-1' is none of whole numbers from 0"),
        ((), "is missing"),
    ],
)
def test_bad_input_is_one_line_before_anything_is_done(
    option: tuple[str, ...], told: str, tmp_path: Path, reelmood: Reelmood
) -> None:
    answer = reelmood(
        "ablate", "--data", tmp_path / "none", "--out", tmp_path / "out", "--epochs", 1, *option
    )
    assert (answer.code, answer.err.count("\n")) == (2, 1)
    assert told in answer.err
    assert not (tmp_path / "out").exists()
