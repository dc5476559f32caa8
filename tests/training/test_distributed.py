import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from shared.errors import DataError
from tests.training.processes import main
from training.distributed import Group, join, leads
from training.loop import STATE_FILE

ROOT = Path(__file__).resolve().parents[2]


def outcome(folder: Path) -> tuple[list[float], dict[str, list[float]]]:
    history = json.loads((folder / "history.json").read_text())
    weights: dict[str, list[float]] = json.loads((folder / "weights.json").read_text())
    return [row["loss"] for row in history], weights


def test_two_processes_train_like_one_with_batches_twice_as_large(tmp_path: Path) -> None:
    alone, together = tmp_path / "alone", tmp_path / "together"
    for folder in (alone, together):
        folder.mkdir()
    main(alone, batch_size=8)
    script = [str(ROOT / "tests/training/processes.py"), str(together), "4"]
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", *script]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, timeout=300)

    losses, weights = outcome(alone)
    losses_together, weights_together = outcome(together)
    assert losses_together == pytest.approx(losses, rel=1e-5)
    assert weights_together.keys() == weights.keys()
    for name, values in weights.items():
        assert weights_together[name] == pytest.approx(values, abs=1e-5), name
    state: dict[str, Any] = torch.load(together / STATE_FILE, weights_only=True)
    assert len(state["rng"]) == 2
    with pytest.raises(DataError, match="began with 2 processes: go on with as many"):
        main(together, batch_size=8)


def test_alone_a_process_leads() -> None:
    assert leads()
    with join(torch.device("cpu")) as group:
        assert group == Group(torch.device("cpu"), rank=0, size=1)
        assert group.leads
        assert group.mean([0.5, 2]) == [0.5, 2]
        assert group.lead(3) == 3
