import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from shared.emotions import COLOURS
from shared.errors import DataError
from shared.runs import HISTORY_FILE
from training.curves import plot_curves, tensorboard
from training.observer import Position

FIRST, SECOND = list(COLOURS.values())[:2]


def scalars(folder: Path, tag: str) -> list[tuple[int, float]]:
    events = EventAccumulator(str(folder))
    events.Reload()
    # Files of one second are read in any order.
    return sorted((event.step, round(event.value, 4)) for event in events.Scalars(tag))


def run_in(folder: Path, *accuracies: float, trainable: float | None = None) -> Path:
    folder.mkdir()
    extra = {} if trainable is None else {"trainable": trainable}
    rows = [{"epoch": i, "loss": 1.0, "label_accuracy": a, **extra} for i, a in enumerate(accuracies, 1)]
    (folder / HISTORY_FILE).write_text(json.dumps(rows))
    return folder


def test_figures_are_grouped_by_what_they_are_of(tmp_path: Path) -> None:
    observer = tensorboard(tmp_path)
    for epoch in (1, 2):
        for step in (1, 2, 3):
            observer.step(Position(epoch, 2, step, 3, loss=10 * epoch + step))
        observer.epoch({"epoch": epoch, "loss": 1 / epoch, "train_accuracy": 0.5, "label_accuracy": 0.25})
    assert scalars(tmp_path, "train/loss_by_step") == [(1, 11), (2, 12), (3, 13), (4, 21), (5, 22), (6, 23)]
    assert scalars(tmp_path, "train/loss") == [(1, 1), (2, 0.5)]
    assert scalars(tmp_path, "train/accuracy") == [(1, 0.5), (2, 0.5)]
    assert scalars(tmp_path, "validation/label_accuracy") == [(1, 0.25), (2, 0.25)]


def test_a_run_that_goes_on_repeats_no_step(tmp_path: Path) -> None:
    stopped = tensorboard(tmp_path)
    stopped.step(Position(1, 2, 1, 1, loss=1))
    stopped.epoch({"epoch": 1, "loss": 1})
    stopped.step(Position(2, 2, 1, 1, loss=7))  # and the process ends here
    resumed = tensorboard(tmp_path)
    resumed.step(Position(2, 2, 1, 1, loss=2))
    resumed.epoch({"epoch": 2, "loss": 2})
    assert scalars(tmp_path, "train/loss_by_step") == [(1, 1), (2, 2)]
    assert scalars(tmp_path, "train/loss") == [(1, 1), (2, 2)]


def ink(file: Path, colour: str) -> tuple[int, float]:
    """Return how many pixels have a colour, "#rrggbb", and the mean row of those in the left half."""
    picture = cv2.imread(str(file), cv2.IMREAD_COLOR_RGB)
    assert picture is not None
    mask = (picture == [int(colour[i : i + 2], 16) for i in (1, 3, 5)]).all(axis=2)
    rows = np.nonzero(mask[:, : mask.shape[1] // 2])[0]
    return int(mask.sum()), float(rows.mean())


def test_each_run_is_a_line_and_the_better_one_is_above(tmp_path: Path) -> None:
    runs = [
        run_in(tmp_path / "low", 0.2, 0.3, 0.3),
        run_in(tmp_path / "high", 0.6, 0.7, 0.7, trainable=5.6e6),
    ]
    plot_curves(runs, tmp_path / "made" / "fig4.png")
    (low, low_row), (high, high_row) = (ink(tmp_path / "made" / "fig4.png", c) for c in (FIRST, SECOND))
    assert min(low, high) > 200
    assert high_row < low_row


def test_the_legend_names_runs_and_what_they_train(tmp_path: Path) -> None:
    runs = [run_in(tmp_path / "full", 0.2, trainable=71_000_000), run_in(tmp_path / "older", 0.3)]
    plot_curves(runs, tmp_path / "fig4.svg")
    text = (tmp_path / "fig4.svg").read_text()
    assert "<!-- full (71.00 M trainable) -->" in text
    assert "<!-- older -->" in text
    assert "<!-- validation label accuracy, % -->" in text


def test_what_cannot_be_drawn_is_named(tmp_path: Path) -> None:
    run = run_in(tmp_path / "run", 0.5)
    with pytest.raises(DataError, match=r"has no majority_accuracy of validation, only label_accuracy$"):
        plot_curves([run], tmp_path / "fig4.png", "majority_accuracy")
    with pytest.raises(DataError, match=r"has no loss of validation, only label_accuracy$"):
        plot_curves([run], tmp_path / "fig4.png", "loss")
    with pytest.raises(DataError, match=r"nothing/history\.json is not there, or has no finished epoch"):
        plot_curves([run, tmp_path / "nothing"], tmp_path / "fig4.png")
    with pytest.raises(DataError, match=r"fig4\.xyz cannot be written"):
        plot_curves([run], tmp_path / "fig4.xyz")
    with pytest.raises(DataError, match="cannot be written"):
        plot_curves([run], run / HISTORY_FILE / "fig4.png")
