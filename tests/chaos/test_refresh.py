"""A model is promoted while clips run, then one that is corrupt: nothing is lost, repeated or stopped."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import torch

from shared.emotions import EMOTIONS
from shared.poster.active import ACTIVE_FILE, write_promotions
from shared.poster.checkpoints import load, save
from shared.poster.folder import WEIGHTS_FILE
from shared.poster.nano import Nano
from shared.poster.promotion import load_candidate, promote
from shared.queues import presence
from shared.queues.presence import Service
from tests.chaos.ground import (
    BUSY,
    MEASURED,
    PRECISION,
    PROBABILITIES,
    assert_nothing_left,
    assert_settled,
    broker_of,
    drop,
    timeline,
    until_read,
    wait_until_done,
)
from tests.integration.reelmood import Up, eventually, up

SLOWLY = {**BUSY, "REELMOOD_EXPLAIN_EVERY_S": "0"}
"""Every face gets a Grad-CAM, so that the clips are still running when a model has been loaded."""


def _make_shifted(models: Path) -> str:
    """Register nano with its outputs moved on by one, and return the id: what was angry is now disgust."""
    model = load("nano")
    assert isinstance(model, Nano)
    assert model.config is not None
    with torch.no_grad():
        for parameter in (model.head.linear.weight, model.head.linear.bias):
            parameter.copy_(parameter.roll(1, 0))
    save(model, msgspec.structs.replace(model.config, name="shifted"), models / "shifted")
    return str(load_candidate("shifted", models).id)


def _shifted(rows: pd.DataFrame) -> pd.DataFrame:
    """Return what that model makes of faces: nano's probabilities, moved on by one."""
    moved = rows.copy()
    moved[PROBABILITIES] = np.roll(rows[PROBABILITIES].to_numpy(), 1, axis=1)
    return moved


def _assert_read_by(rows: pd.DataFrame, expected: pd.DataFrame, model: str) -> None:
    assert set(rows["model"]) == {model}
    assert (rows[MEASURED] - expected[MEASURED]).abs().max().max() < PRECISION
    named = [EMOTIONS[index] for index in expected[PROBABILITIES].to_numpy().argmax(axis=1)]
    assert rows["emotion"].tolist() == named


def _worker(running: Up, condition: Callable[[Service], bool], what: str) -> Service:
    """Wait until the only worker says what it should, and return what it says."""
    found: list[Service] = []

    def said() -> bool:
        found[:] = [one for one in presence.alive(broker_of(running)) if one.kind == "worker"]
        return len(found) == 1 and condition(found[0])

    eventually(said, what)
    return found[0]


def test_promotions_while_clips_run(clip: Path, undisturbed: pd.DataFrame, tmp_path: Path, port: int) -> None:
    models = tmp_path / "home" / "models"
    shifted = _make_shifted(models)
    with up(tmp_path / "home", port=port, **SLOWLY) as running:
        before = _worker(running, lambda one: not one.note, "the worker is ready")
        done = [drop(clip, running, number) for number in (0, 1)]
        until_read(running, 16)
        promote("shifted", shifted, models)
        _worker(running, lambda one: one.model == shifted, "the new model is told")

        shutil.copytree(models / "shifted", models / "corrupt")
        (models / "corrupt" / WEIGHTS_FILE).write_bytes(b"no weights")
        by_hand = {"format_version": 1, "promotions": [{"name": "corrupt", "id": "corrupt@00000000"}]}
        (models / ACTIVE_FILE).write_text(json.dumps(by_hand))
        refusing = _worker(running, lambda one: bool(one.note), "the refusal is told")
        assert refusing.note.startswith("corrupt is refused")
        assert "is no safetensors file" in refusing.note
        wait_until_done(running, *done)
        assert_settled(running)
        write_promotions(models, [])
        after = _worker(running, lambda one: one.model == before.model, "nano is taken again")
        assert (after.pid, after.note) == (before.pid, "")
    assert_nothing_left(running)

    tables = [timeline(running, path.stem) for path in done]
    exact = [name for name in undisturbed.columns if name not in (*MEASURED, "emotion", "model")]
    swaps = []
    for rows in tables:
        pd.testing.assert_frame_equal(rows[exact], undisturbed[exact])
        swap = int((rows["model"] == before.model).sum())
        if swap:
            _assert_read_by(rows[:swap], undisturbed[:swap], before.model)
        if swap < len(rows):
            _assert_read_by(rows[swap:], _shifted(undisturbed)[swap:], shifted)
        swaps.append(swap)
    rows = pd.concat(tables, ignore_index=True)
    assert 16 <= sum(swaps) < len(rows)
    assert any(0 < swap < len(undisturbed) for swap in swaps)
    moments = [running.home / "results" / path.stem / "moments.parquet" for path in done]
    asked = pd.concat([pd.read_parquet(path, columns=["model"]) for path in moments], ignore_index=True)
    assert asked["model"].tolist() == rows["model"].tolist()
