"""The folder of a training run, as those see it who only look: its spec, history, confusion and log."""

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

SPEC_FILE: Final = "spec.json"
HISTORY_FILE: Final = "history.json"
CONFUSION_FILE: Final = "confusion.json"
LOG_FILE: Final = "run.log"

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_TAIL_BYTES: Final = 64 * 1024


class Confusion(msgspec.Struct, frozen=True, kw_only=True):
    """How a run's model took the validation pictures after `epoch`, the one whose weights are kept so far.

    `counts` has a matrix [C, C] for each truth (`label`, `majority`): rows the truth, columns what the model
    said, in the order of `labels`. Raises ValueError when a matrix has another shape.
    """

    epoch: int
    labels: tuple[str, ...]
    counts: dict[str, list[list[int]]]

    def __post_init__(self) -> None:
        size = len(self.labels)
        for matrix in self.counts.values():
            if [len(row) for row in matrix] != [size] * size:
                raise ValueError("a confusion matrix has a row and a column for each label")


def is_run_name(text: str) -> bool:
    """Tell whether a text may name a run: what a model may be called, so never a path."""
    return _NAME.fullmatch(text) is not None


def folders(runs: Path) -> list[Path]:
    """Return the folders of all runs, the latest changed first."""
    found = []
    for spec in runs.glob(f"*/{SPEC_FILE}"):
        try:
            changed = max(
                file.stat().st_mtime_ns for file in (spec, spec.parent / HISTORY_FILE) if file.exists()
            )
        except OSError:
            continue
        if is_run_name(spec.parent.name):
            found.append((changed, spec.parent))
    return [folder for _, folder in sorted(found, reverse=True)]


def read_history(folder: Path) -> list[dict[str, float]]:
    """Return one row per finished epoch, numbers by name, `epoch` from 1; empty where there is none yet."""
    rows = _read(folder / HISTORY_FILE)
    return (
        [_numbers(row) for row in rows if isinstance(row, dict) and "epoch" in row]
        if isinstance(rows, list)
        else []
    )


def read_confusion(folder: Path) -> Confusion | None:
    """Return the confusion that the run left last; None where there is none yet, or it cannot be read."""
    try:
        return msgspec.json.decode((folder / CONFUSION_FILE).read_bytes(), type=Confusion)
    except (OSError, ValueError, RecursionError):
        return None


def read_spec(folder: Path) -> dict[str, Any]:
    """Return what the run was asked to do; empty where that is not known."""
    spec = _read(folder / SPEC_FILE)
    return spec if isinstance(spec, dict) else {}


def accuracy_of(row: Mapping[str, float]) -> float | None:
    """Return the validation accuracy of an epoch, in 0..1: against FER+'s majority where it is known."""
    return row.get("majority_accuracy", row.get("label_accuracy"))


def tail(folder: Path, lines: int) -> list[str]:
    """Return the last lines of a run's log, without their ends; at most 64 KiB of it."""
    try:
        with (folder / LOG_FILE).open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _TAIL_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return []
    return text.splitlines()[-lines:]


def _read(file: Path) -> Any:
    try:
        return json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None


def _numbers(row: dict[str, Any]) -> dict[str, float]:
    return {
        name: float(value)
        for name, value in row.items()
        if isinstance(value, (int, float)) and math.isfinite(value)
    }
