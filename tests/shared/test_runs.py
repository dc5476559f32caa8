"""What those who only look read of a run's folder."""

import json
import os
from pathlib import Path

import msgspec
import pytest

from shared import runs


def make(root: Path, name: str, changed_s: float, rows: object = None) -> Path:
    folder = root / name
    folder.mkdir(parents=True)
    spec = folder / runs.SPEC_FILE
    spec.write_text(json.dumps({"name": name}))
    os.utime(spec, (changed_s, changed_s))
    if rows is not None:
        (folder / runs.HISTORY_FILE).write_text(json.dumps(rows))
    return folder


def test_runs_come_with_the_latest_changed_first(tmp_path: Path) -> None:
    old, new = make(tmp_path, "old", 100), make(tmp_path, "new", 200)
    make(tmp_path, "-strange", 300)
    (tmp_path / "empty").mkdir()
    assert runs.folders(tmp_path) == [new, old]
    assert runs.folders(tmp_path / "nowhere") == []


def test_a_history_is_its_finite_numbers(tmp_path: Path) -> None:
    rows = [{"epoch": 1, "loss": 2.5, "note": "x"}, {"epoch": 2, "loss": float("nan")}, {"loss": 1}, 7]
    assert runs.read_history(make(tmp_path, "a", 1, rows)) == [{"epoch": 1.0, "loss": 2.5}, {"epoch": 2.0}]


def test_a_confusion_is_read_as_it_was_written(tmp_path: Path) -> None:
    folder = make(tmp_path, "a", 1)
    assert runs.read_confusion(folder) is None
    confusion = runs.Confusion(epoch=2, labels=("happy", "sad"), counts={"label": [[5, 1], [0, 4]]})
    (folder / runs.CONFUSION_FILE).write_bytes(msgspec.json.encode(confusion))
    assert runs.read_confusion(folder) == confusion


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "[" * 5000, "\x00"),
        '{"epoch": 1, "labels": ["happy", "sad"], "counts": {"label": [[1, 2]]}}',
        '{"epoch": 1, "labels": ["happy", "sad"], "counts": {"label": [[1, 2], [3]]}}',
        '{"epoch": 1, "labels": ["happy"], "counts": {"label": [["1"]]}}',
    ],
)
def test_a_confusion_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    folder = make(tmp_path, "a", 1)
    (folder / runs.CONFUSION_FILE).write_text(text)
    assert runs.read_confusion(folder) is None


@pytest.mark.parametrize("text", ["", "{", "{}", "[" * 5000, "\x00"])
def test_a_history_that_cannot_be_read_is_empty(tmp_path: Path, text: str) -> None:
    folder = make(tmp_path, "a", 1)
    (folder / runs.HISTORY_FILE).write_text(text)
    assert runs.read_history(folder) == []
    (folder / runs.SPEC_FILE).write_text("[1]")
    assert runs.read_spec(folder) == {}


def test_the_end_of_a_log_is_its_last_lines(tmp_path: Path) -> None:
    assert runs.tail(tmp_path, 3) == []
    (tmp_path / runs.LOG_FILE).write_text("".join(f"line {number}\n" for number in range(20_000)))
    assert runs.tail(tmp_path, 2) == ["line 19998", "line 19999"]
    assert len(runs.tail(tmp_path, 100_000)) < 20_000


def test_validation_is_against_the_majority_where_it_is_known() -> None:
    assert runs.accuracy_of({"label_accuracy": 0.6, "majority_accuracy": 0.8}) == 0.8
    assert runs.accuracy_of({"label_accuracy": 0.6}) == 0.6
    assert runs.accuracy_of({"loss": 0.6}) is None


@pytest.mark.parametrize("text", ["", "..", "a/b", "../a", ".a", "a\n", "-a", "a" * 101])
def test_a_path_is_no_name(text: str) -> None:
    assert not runs.is_run_name(text)
    assert runs.is_run_name("nano-2.b_c")
