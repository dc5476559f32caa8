"""The training loop of a landmark stream: AdamW under one cycle, the L1 distance of the points, resumable."""

import logging
import time
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import l1_loss
from torch.optim import AdamW
from torch.optim.lr_scheduler import OneCycleLR

from shared.poster.mobilefacenet import MobileFaceNet
from training.checkpoint import read_state, write_state
from training.devices import autocast
from training.landmarks.batches import Batches
from training.landmarks.spec import LandmarkSpec
from training.landmarks.student import learn, points_of
from training.observer import Observer, Position

log = logging.getLogger(__name__)


class Run:
    """Student, optimizer and schedule of one run, and how they are kept and restored."""

    def __init__(self, net: MobileFaceNet, spec: LandmarkSpec, steps: int, device: torch.device) -> None:
        self.net: MobileFaceNet = net.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.spec = spec
        self.device = device
        # Scales, biases and PReLU's slopes need no decay.
        kernels = [parameter for parameter in net.parameters() if parameter.ndim > 1]
        others = [parameter for parameter in net.parameters() if parameter.ndim <= 1]
        groups: list[dict[str, Any]] = [{"params": kernels}, {"params": others, "weight_decay": 0.0}]
        self.optimizer = AdamW(groups, spec.lr, weight_decay=spec.weight_decay)
        self.schedule = OneCycleLR(self.optimizer, spec.lr, total_steps=spec.epochs * steps, pct_start=0.2)
        self.history: list[dict[str, float]] = []

    def state(self) -> dict[str, Any]:
        """Return everything that the rest of the run depends on."""
        return {
            "history": self.history,
            "net": self.net.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to what `state` returned."""
        self.history = state["history"]
        self.net.load_state_dict(state["net"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])

    def train_epoch(self, batches: Batches, observe: Observer) -> float:
        """Train one epoch and return its mean loss, in sides of the picture."""
        learn(self.net)
        total = 0.0
        epoch = len(self.history)
        for step, (images, points) in enumerate(batches.shuffled(epoch), start=1):
            with autocast(self.device):
                found = points_of(self.net, images)
            loss = l1_loss(found.float(), points)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
            self.schedule.step()
            total += float(loss.detach())
            observe.step(Position(epoch + 1, self.spec.epochs, step, batches.steps, total / step))
        return total / batches.steps


def fit(run: Run, batches: Batches, state_file: Path, observe: Observer) -> None:
    """Train to the last epoch, going on from `state_file` when it is there, and write it after each."""
    state = read_state(state_file)
    if state is not None:
        run.restore(state)
        log.info("going on after epoch %d from %s", len(run.history), state_file)
    while len(run.history) < run.spec.epochs:
        start = time.monotonic()
        loss = run.train_epoch(batches, observe)
        row = {"epoch": len(run.history) + 1, "loss": loss, "seconds": time.monotonic() - start}
        run.history.append(row)
        write_state(state_file, run.state())
        log.info("epoch %d of %d: loss %.5f", row["epoch"], run.spec.epochs, loss)
        observe.epoch(row)
