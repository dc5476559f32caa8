"""The training loop: epochs of AdamW under one cycle, an exponential average of the weights, resumable."""

import logging
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import cross_entropy
from torch.optim import AdamW
from torch.optim.lr_scheduler import OneCycleLR
from torch.optim.swa_utils import AveragedModel

from shared.poster.expression import ExpressionModel
from training.batches import Batches
from training.checkpoint import read_state, write_state
from training.devices import autocast
from training.recipe import Recipe

log = logging.getLogger(__name__)

PRETRAINED: Final = ("stem.", "top.", "ir_back.")
"""What the names of an image stream begin with: pretrained, so it is trained gently."""


@dataclass(frozen=True)
class Position:
    """Where a run stands: epoch from 1, step of the epoch from 1, mean loss of the epoch so far."""

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float


def parameter_groups(model: nn.Module, recipe: Recipe) -> list[dict[str, Any]]:
    """Return AdamW's groups: pretrained or new, decayed (matrices and kernels) or not (scales and biases)."""
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            groups.setdefault((name.startswith(PRETRAINED), parameter.ndim > 1), []).append(parameter)
    return [
        {
            "params": parameters,
            "lr": recipe.backbone_lr if pretrained else recipe.lr,
            "weight_decay": recipe.weight_decay if decayed else 0.0,
        }
        for (pretrained, decayed), parameters in groups.items()
    ]


def moving_average(decay: float) -> Callable[[Tensor, Tensor, Tensor | int], Tensor]:
    """Return the average's update: `decay` of the old is kept, less in the first steps.

    A short run would otherwise end in an average that is mostly where it began. The ramp is that of
    TensorFlow's ExponentialMovingAverage with `num_updates`.
    """

    def update(average: Tensor, current: Tensor, count: Tensor | int) -> Tensor:
        steps = int(count)
        return torch.lerp(current, average, min(decay, (1 + steps) / (10 + steps)))

    return update


class Run:
    """Model, optimizer, schedule and average of one run, and how they are kept and restored."""

    def __init__(self, model: ExpressionModel, recipe: Recipe, steps: int, device: torch.device) -> None:
        self.model = model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.recipe = recipe
        self.device = device
        self.ema = AveragedModel(self.model, avg_fn=moving_average(recipe.ema_decay))
        groups = parameter_groups(self.model, recipe)
        self.optimizer = AdamW(groups)
        self.schedule = OneCycleLR(
            self.optimizer,
            max_lr=[group["lr"] for group in groups],
            total_steps=recipe.epochs * steps,
            pct_start=recipe.warmup,
        )
        self.epoch = 0
        self.history: list[dict[str, float]] = []

    @property
    def averaged(self) -> ExpressionModel:
        """The model with the averaged weights."""
        return cast(ExpressionModel, self.ema.module)

    def state(self) -> dict[str, Any]:
        """Return everything that the rest of the run depends on."""
        return {
            "epoch": self.epoch,
            "history": self.history,
            "model": self.model.state_dict(),
            "ema": self.ema.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "rng": [torch.get_rng_state(), *torch.cuda.get_rng_state_all()],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to what `state` returned."""
        self.epoch = state["epoch"]
        self.history = state["history"]
        self.model.load_state_dict(state["model"])
        self.ema.load_state_dict(state["ema"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        torch.set_rng_state(state["rng"][0])
        torch.cuda.set_rng_state_all(state["rng"][1:])

    def train_epoch(self, batches: Batches, report: Callable[[Position], None]) -> float:
        """Train one epoch and return its mean loss; `report` is called after every step."""
        self.model.train()
        total = 0.0
        draws = batches.shuffled(self.recipe.augmentation, self.recipe.seed, self.epoch)
        for step, (images, targets) in enumerate(draws, start=1):
            total += self._step(images.to(self.device), targets.to(self.device))
            report(Position(self.epoch + 1, self.recipe.epochs, step, batches.steps, total / step))
        self.epoch += 1
        return total / batches.steps

    def _step(self, images: Tensor, targets: Tensor) -> float:
        # On a CPU the backward of fused attention takes three times as long with heads as narrow as nano's.
        plain = sdpa_kernel(SDPBackend.MATH) if self.device.type == "cpu" else nullcontext()
        with plain, autocast(self.device):
            logits = self.model(images).logits
        loss = cross_entropy(logits.float(), targets, label_smoothing=self.recipe.label_smoothing)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        self.schedule.step()
        self.ema.update_parameters(self.model)
        return float(loss.detach())


def fit(
    run: Run,
    batches: Batches,
    state_file: Path,
    validate: Callable[[ExpressionModel], dict[str, float]],
    report: Callable[[Position], None],
) -> list[dict[str, float]]:
    """Train to the last epoch of the recipe, going on from `state_file` when it is there.

    The averaged model is validated after every epoch, then the state is written. Returns one row per epoch:
    its number, mean training loss, seconds, and what `validate` returned.
    """
    state = read_state(state_file)
    if state is not None:
        run.restore(state)
        log.info("going on after epoch %d from %s", run.epoch, state_file)
    while run.epoch < run.recipe.epochs:
        start = time.monotonic()
        loss = run.train_epoch(batches, report)
        row = {"epoch": run.epoch, "loss": loss, **validate(run.averaged)}
        row["seconds"] = time.monotonic() - start
        run.history.append(row)
        write_state(state_file, run.state())
        log.info("epoch %d of %d: %s", run.epoch, run.recipe.epochs, _line(row))
    return run.history


def _line(row: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in row.items() if name != "epoch")
