"""What `reelmood ablate` does: trains and measures the runs of a grid in turn, and writes the tables."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Final

import msgspec

from shared.poster.config import read_config
from shared.poster.folder import CONFIG_FILE, find_folder, model_id
from training.ablation.grid import Cell, Kept, Setup, keep, spec_of, way
from training.ablation.results import Result, read_result, write_result
from training.ablation.tables import write_tables
from training.datasets.catalogue import fingerprint_of, read_split
from training.evaluation.run import Pictures, evaluate
from training.loop import STATE_FILE
from training.observer import NOBODY, Observer
from training.record import RECORD_FILE, Record
from training.run import check_base, train

log = logging.getLogger(__name__)

RUNS_FOLDER: Final = "runs"
_SMALLEST: Final = 8

Begin = Callable[[str, int], None]
"""Told what is next, and how many runs are done."""


def ablate(
    setup: Setup,
    cells: Sequence[Cell],
    out: Path,
    *,
    command: str,
    models: Path | None = None,
    device: str = "auto",
    cache: Path | None = None,
    observe: Observer = NOBODY,
    begin: Begin = lambda what, before: None,  # noqa: ARG005 - nobody is told
) -> list[Result]:
    """Do the runs `cells` in the folder `out`, and write its tables after each of them.

    A run that is done is not done again, one that was stopped goes on after its last epoch. Other cells of
    the same setup may be asked for later. `command` is what the tables say made them; `models`, `device` and
    `cache` as in `training.run.train`. Raises DataError or ModelError, before the first run wherever that is
    possible, and whatever `observe` raises.
    """
    # Read now what is needed in the end: a data set without a usable test split can't be measured on.
    read_split(setup.dataset, Path(setup.data), "test", _SMALLEST, grey=True)
    start = find_folder(setup.model, models)
    kept = Kept(setup, model_id(start), fingerprint_of(setup.dataset, Path(setup.data)))
    if any(cell.rank for cell in cells):
        check_base(read_config(start / CONFIG_FILE).name, kept.base, models)
    keep(out, kept)
    done = {cell: found for cell in cells if (found := read_result(out / RUNS_FOLDER / cell.name))}
    spent_s: list[float] = []
    for cell in [cell for cell in cells if cell not in done]:
        start_s = time.monotonic()
        begin(f"{len(done) + 1} of {len(cells)}: {cell.preset}, {way(cell.rank)}", len(done))
        folder = out / RUNS_FOLDER / cell.name
        done[cell] = result = _run(setup, cell, folder, models, device, cache, observe)
        write_result(folder, result)
        # It holds the optimizer too, and nothing goes on from it.
        (folder / STATE_FILE).unlink(missing_ok=True)
        write_tables(out, kept, _in_order(done, cells), len(cells), command)
        spent_s.append(time.monotonic() - start_s)
        log.info("%s: accuracy %.4f, macro F1 %.4f", cell.name, result.accuracy, result.macro_f1)
        minutes = fmean(spent_s) * (len(cells) - len(done)) / 60
        log.info("%d of %d runs are done, about %.0f minutes left", len(done), len(cells), minutes)
    results = _in_order(done, cells)
    if not spent_s:
        write_tables(out, kept, results, len(cells), command)
    return results


def _in_order(done: Mapping[Cell, Result], cells: Sequence[Cell]) -> list[Result]:
    return [done[cell] for cell in cells if cell in done]


def _run(
    setup: Setup,
    cell: Cell,
    folder: Path,
    models: Path | None,
    device: str,
    cache: Path | None,
    observe: Observer,
) -> Result:
    trained = folder / cell.name
    if not trained.exists():
        train(spec_of(setup, cell, device), folder, models=models, cache=cache, observe=observe)
    record = msgspec.json.decode((trained / RECORD_FILE).read_bytes(), type=Record)
    pictures = Pictures(setup.dataset, Path(setup.data))
    report = evaluate(pictures, trained, "", align=setup.align, models=models, device=device, cache=cache)
    scores = report.measurements["label"].scores
    return Result(
        cell=cell,
        accuracy=scores.accuracy,
        macro_f1=scores.macro_f1,
        tested=scores.count,
        pictures=record.pictures,
        trainable=int(record.figures["trainable"]),
        epochs=record.epochs,
        best_epoch=record.best_epoch,
        seconds=record.seconds,
        device=record.device,
    )
