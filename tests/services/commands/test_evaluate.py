"""`reelmood evaluate` and `curves`."""

import json
from pathlib import Path

import pytest

from shared.emotions import EMOTIONS
from shared.poster.folder import find_folder, model_id
from shared.runs import HISTORY_FILE
from tests.clips import draw, write_picture
from tests.services.commands.conftest import Reelmood
from tests.training.conftest import write_tree

NANO = model_id(find_folder("nano"))


def drawn_tree(root: Path) -> Path:
    """Write a data set of drawn faces that end at the face, but for one picture without a face."""
    face = draw((80, 80, 120), width=160, height=160)[12:150, 12:150]
    for split in ("train", "test"):
        for emotion in EMOTIONS:
            (root / split / emotion).mkdir(parents=True)
            write_picture(root / split / emotion / "face.png", face)
    write_picture(root / "test" / "sad" / "nobody.png", draw(width=60, height=60))
    return root


def test_crops_are_measured_and_the_report_is_kept(tmp_path: Path, reelmood: Reelmood) -> None:
    data = write_tree(tmp_path / "data", train=1)
    answer = reelmood("evaluate", "--data", data, "--model", "nano", "--json", "--out", tmp_path / "report")
    assert answer.code == 0, answer.err
    report = json.loads(answer.out)
    assert report["model"] == NANO
    assert report["scores"]["label"]["count"] == 2 * len(EMOTIONS)
    assert report["command"].startswith(f"reelmood evaluate --data {data} --model nano --json --out")
    assert json.loads((tmp_path / "report" / "report.json").read_text()) == report
    names = {file.name for file in (tmp_path / "report").iterdir()}
    assert names == {"report.md", "report.json", "confusion.png", "reliability.png"}


def test_as_shipped_frames_go_the_way_of_the_product(tmp_path: Path, reelmood: Reelmood) -> None:
    answer = reelmood(
        "evaluate", "--data", drawn_tree(tmp_path / "data"), "--model", "nano", "--as-shipped", "--json"
    )
    assert answer.code == 0, answer.err
    report = json.loads(answer.out)
    assert report["model"] == NANO
    label = report["scores"]["label"]
    assert (label["count"], label["missed"]) == (8, {**dict.fromkeys(EMOTIONS, 0), "sad": 1})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--as-shipped", "--flip"), "--as-shipped goes without --flip and --align"),
        (("--model", "nobody"), "no model nobody"),
        (("--dataset", "ckplus"), "is missing"),
        (("--model", "nano"), "is missing"),
    ],
)
def test_what_cannot_be_measured_is_one_line(
    tmp_path: Path, reelmood: Reelmood, arguments: tuple[str, ...], message: str
) -> None:
    answer = reelmood("evaluate", "--data", tmp_path / "nothing", *arguments)
    assert (answer.code, answer.err.count("\n")) == (2, 1)
    assert message in answer.err


def test_curves_of_runs_are_a_picture(tmp_path: Path, reelmood: Reelmood) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / HISTORY_FILE).write_text('[{"epoch": 1, "label_accuracy": 0.5}]')
    drawn = reelmood("curves", run, run, "--out", tmp_path / "fig4.png")
    assert drawn.code == 0, drawn.err
    assert (tmp_path / "fig4.png").read_bytes().startswith(b"\x89PNG")
    refused = reelmood("curves", tmp_path, "--out", tmp_path / "fig4.png")
    assert (refused.code, refused.err.count("\n")) == (2, 1)
    assert "has no finished epoch yet" in refused.err
