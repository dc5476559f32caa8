import csv
from pathlib import Path

import cv2
import pytest

from shared.errors import DataError
from training.ablation.grid import Cell, Kept, Setup
from training.ablation.results import RESULT_FILE, Result, read_result, summarise, write_result
from training.ablation.tables import CSV_FILE, MARKDOWN_FILE, PLOT_FILE, to_markdown, write_tables
from training.presets import PresetName

KEPT = Kept(Setup(data="faces", epochs=4, limit=700), "nano-initial@12345678", "ab")


def result(preset: PresetName, rank: int, seed: int, accuracy: float, macro_f1: float) -> Result:
    return Result(
        cell=Cell(preset, rank, seed),
        accuracy=accuracy,
        macro_f1=macro_f1,
        tested=3589,
        pictures=693,
        trainable=1_234_567 if rank == 0 else 4321,
        epochs=4,
        best_epoch=3,
        seconds=100.0 + seed,
        device="cpu",
    )


RESULTS = [
    result("standard", 0, 0, 0.60, 0.50),
    result("all", 0, 0, 0.62, 0.55),
    result("standard", 64, 0, 0.50, 0.40),
    result("standard", 0, 1, 0.64, 0.52),
]


def test_seeds_are_summed_up_by_mean_and_sample_deviation() -> None:
    standard, both = summarise(RESULTS, 0)
    assert (standard.preset, standard.seeds, standard.seconds) == ("standard", (0, 1), 100.5)
    # Two values deviate from their mean by half their distance; divided by n - 1, that is d / sqrt(2).
    assert standard.accuracy.mean == pytest.approx(0.62)
    assert standard.accuracy.deviation == pytest.approx(0.04 / 2**0.5)
    assert standard.macro_f1.deviation == pytest.approx(0.02 / 2**0.5)
    assert (both.accuracy.mean, both.accuracy.deviation) == (0.62, None)


def test_markdown_has_both_tables_beside_the_papers() -> None:
    text = to_markdown(KEPT, RESULTS, 8, "reelmood ablate --data faces")
    assert "at most 4 epochs on 693 training pictures (the same in all runs, a stratified share)" in text
    assert "4 of 8 runs are done" in text
    assert "3,589 pictures of the test split" in text
    assert "reelmood ablate --data faces" in text
    first, second = text.split("## Table ")[1:]
    assert first.startswith("I: all weights trained")
    row = "| Standard | 0, 1 | **62.00 ± 2.83** | 51.00 ± 1.41 | 74.70 | 74.09 | 1,234,567 | 100 |"
    assert row in first
    name = "Lighting + Random Erasing + Class balancing + CB loss"
    assert f"| {name} | 0 | **62.00** | **55.00** | 74.25 | 73.23 | 1,234,567 | 100 |" in first
    assert second.startswith("II: LoRA, r = 64")
    assert "| Standard | 0 | **50.00** | **40.00** | 69.30 | 67.58 | 4,321 | 100 |" in second
    assert "runs are done" not in to_markdown(KEPT, RESULTS, 4, "")


def test_the_three_files_are_written(tmp_path: Path) -> None:
    write_tables(tmp_path, KEPT, RESULTS, 4, "reelmood ablate")
    assert (tmp_path / MARKDOWN_FILE).read_text() == to_markdown(KEPT, RESULTS, 4, "reelmood ablate")
    with (tmp_path / CSV_FILE).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["training"], row["setting"], row["seeds"]) for row in rows] == [
        ("full", "standard", "0 1"),
        ("full", "all", "0"),
        ("lora-64", "standard", "0"),
    ]
    assert float(rows[0]["accuracy"]) == pytest.approx(0.62)
    assert (rows[1]["accuracy_sd"], rows[1]["paper_macro_f1"]) == ("", "0.7323")
    picture = cv2.imread(str(tmp_path / PLOT_FILE))
    # Two panels side by side.
    assert picture is not None
    assert picture.shape[1] > 1.5 * picture.shape[0]


def test_settings_that_the_paper_has_not_stand_alone(tmp_path: Path) -> None:
    alone = [result("modern", 0, 0, 0.7, 0.6), result("modern", 8, 0, 0.7, 0.6)]
    write_tables(tmp_path, KEPT, alone, 2, "")
    assert "| modern | 0 | **70.00** | **60.00** | – | – |" in (tmp_path / MARKDOWN_FILE).read_text()


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    assert read_result(tmp_path) is None
    write_result(tmp_path, RESULTS[0])
    assert read_result(tmp_path) == RESULTS[0]
    (tmp_path / RESULT_FILE).write_text("{}")
    with pytest.raises(DataError, match=r"result\.json is no result of a run"):
        read_result(tmp_path)
