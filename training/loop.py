"""The training loop: epochs of steps, an average of the weights, the best epoch, resumable bit for bit."""

import logging
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, cast

import msgspec
import torch
from torch import Tensor

from shared.errors import DataError
from shared.poster.expression import ExpressionModel, FeatureMaps
from shared.runs import CONFUSION_FILE, HISTORY_FILE, Confusion
from training.averaging import make_average
from training.batches import Batches
from training.checkpoint import read_state, write_state, write_whole
from training.distributed import Group
from training.losses import make_criterion
from training.observer import NOBODY, Observer, Position
from training.optimizer import make_optimizer
from training.passes import Passes
from training.recipe import Recipe
from training.sam import perturbed, still_statistics
from training.schedule import make_schedule
from training.selection import Best
from training.validation import Validation

log = logging.getLogger(__name__)

STATE_FILE: Final = "state.pt"

Validate = Callable[[ExpressionModel], Validation]


class Run:
    """Everything that changes in the course of a run, how it changes, and how it is kept and restored.

    `counts` [C] is the number of training pictures of each class.
    """

    def __init__(
        self, model: ExpressionModel, recipe: Recipe, batches: Batches, counts: Tensor, group: Group
    ) -> None:
        self.model = model.to(group.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.recipe = recipe
        self.batches = batches
        self.group = group
        self.passes = group.wrap(Passes(self.model))
        self.trained = [each for each in self.model.parameters() if each.requires_grad]
        self.average = (
            make_average(self.model, recipe.ema_decay) if recipe.ema_decay and group.leads else None
        )
        self.criterion = make_criterion(recipe, counts)
        self.optimizer = make_optimizer(self.model, recipe)
        self.schedule = make_schedule(self.optimizer, recipe, batches.steps(group))
        self.best = Best()
        self.history: list[dict[str, float]] = []

    @property
    def averaged(self) -> ExpressionModel:
        """The model with the averaged weights, where the recipe averages: what is validated and kept."""
        return cast(ExpressionModel, self.average.module) if self.average else self.model

    @property
    def finished(self) -> bool:
        """Whether there is no epoch left to train, or no use in it."""
        epoch = len(self.history)
        return epoch >= self.recipe.epochs or self.best.is_stale(epoch, self.recipe)

    @property
    def chosen_epoch(self) -> int:
        """The epoch, from 1, whose weights the recipe selects; 0 before the first one."""
        return len(self.history) if self.recipe.select == "last" else self.best.epoch

    def chosen(self) -> tuple[ExpressionModel, dict[str, float]]:
        """Return the model with the weights that the recipe selects, and its epoch's row of the history."""
        if self.recipe.select != "last":
            self.averaged.load_state_dict(self.best.weights)
        return self.averaged, self.history[self.chosen_epoch - 1]

    def state(self) -> dict[str, Any]:
        """Return everything that the rest of the run depends on. All processes have to call it."""
        on_gpu = self.group.device.type == "cuda"
        return {
            "history": self.history,
            "best": self.best.state(),
            "model": self.model.state_dict(),
            "average": self.average.state_dict() if self.average else None,
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "rng": self.group.gather(torch.get_rng_state()),
            "gpu_rng": self.group.gather(torch.cuda.get_rng_state(self.group.device)) if on_gpu else [],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to what `state` returned. Raises DataError if it was of another number of processes."""
        if len(state["rng"]) != self.group.size:
            raise DataError(f"the run began with {len(state['rng'])} processes: go on with as many")
        self.history = state["history"]
        self.best = Best.from_state(state["best"])
        self.model.load_state_dict(state["model"])
        if self.average:
            self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        torch.set_rng_state(state["rng"][self.group.rank])
        if state["gpu_rng"] and self.group.device.type == "cuda":
            torch.cuda.set_rng_state(state["gpu_rng"][self.group.rank], self.group.device)

    def train_epoch(self, observe: Observer) -> dict[str, float]:
        """Train one epoch and return its figures; raises DataError when the loss is no longer a number.

        `loss`, mean of the epoch; `train_accuracy` on the pictures as they were shown, augmented and mixed;
        `lr`, the greatest rate of the last step; `trainable`, the number of parameters that are trained.
        """
        self.model.train()
        epoch, steps = len(self.history) + 1, self.batches.steps(self.group)
        total, right, seen, rate = 0.0, 0, 0, 0.0
        draws = self.batches.drawn(self.recipe, epoch, self.group)
        for step, (images, targets) in enumerate(draws, start=1):
            rate = float(max(self.schedule.get_last_lr()))
            loss, logits = self._step(images, targets)
            total += loss
            right += int((logits.argmax(1) == targets.argmax(1)).sum())
            seen += len(targets)
            if not math.isfinite(loss):
                raise DataError(f"the loss is {loss} in epoch {epoch}: lower the learning rate")
            observe.step(Position(epoch, self.recipe.epochs, step, steps, total / step))
        mean_loss, accuracy = self.group.mean((total / steps, right / seen))
        trainable = sum(each.numel() for each in self.trained)
        return {"loss": mean_loss, "train_accuracy": accuracy, "lr": rate, "trainable": trainable}

    def _step(self, images: Tensor, targets: Tensor) -> tuple[float, Tensor]:
        self.optimizer.zero_grad(set_to_none=True)
        loss, logits, maps = self._backward(images, targets, None)
        if self.recipe.sam_rho:
            with perturbed(self.trained, self.recipe.sam_rho), still_statistics(self.model):
                self._backward(images, targets, maps)
        self.optimizer.step()
        self.schedule.step()
        if self.average:
            self.average.update_parameters(self.model)
        return loss, logits

    def _backward(
        self, images: Tensor, targets: Tensor, first: FeatureMaps | None
    ) -> tuple[float, Tensor, FeatureMaps]:
        logits, maps = self.passes(images, first)
        loss = self.criterion(logits, targets)
        loss.backward()  # type: ignore[no-untyped-call]
        return float(loss.detach()), logits.detach(), maps


def fit(run: Run, out: Path, validate: Validate, observe: Observer) -> None:
    """Train until the run is finished, going on from the state in the folder `out` when there is one.

    The averaged model is validated after every epoch, then the state and the history are written: a row per
    epoch with its number, what `Run.train_epoch` returned, the figures of `validate`, and seconds; and the
    confusion of the epoch that the recipe selects so far. Of several processes the leader alone validates,
    writes and observes. Raises DataError, and what `observe` raises.
    """
    state = read_state(out / STATE_FILE)
    if state is not None:
        run.restore(state)
        log.info("going on after epoch %d from %s", len(run.history), out / STATE_FILE)
    if run.group.lead(len(run.history)) != len(run.history):
        raise DataError(f"{out} must be seen by all machines: put it on a file system that they share")
    while not run.group.lead(run.finished):
        start = time.monotonic()
        row: dict[str, float] = {"epoch": len(run.history) + 1}
        row |= run.train_epoch(observe if run.group.leads else NOBODY)
        if run.group.leads:
            validation = validate(run.averaged)
            row |= validation.figures
            run.best.consider(row, run.averaged, run.recipe)
        run.history.append({**row, "seconds": time.monotonic() - start})
        state = run.state()
        if run.group.leads:
            if run.chosen_epoch == len(run.history):
                _write_confusion(out, run.chosen_epoch, validation)
            write_state(out / STATE_FILE, state)
            _write_history(out, run.history)
            log.info("epoch %d of %d: %s", len(run.history), run.recipe.epochs, _line(run.history[-1]))
            observe.epoch(run.history[-1])
    if run.group.leads:
        _write_history(out, run.history)


def _write_history(out: Path, history: list[dict[str, float]]) -> None:
    write_whole(out / HISTORY_FILE, msgspec.json.format(msgspec.json.encode(history), indent=2))


def _write_confusion(out: Path, epoch: int, validation: Validation) -> None:
    confusion = Confusion(
        epoch=epoch,
        labels=validation.labels,
        counts={truth: scores.confusion.tolist() for truth, scores in validation.scores.items()},
    )
    write_whole(out / CONFUSION_FILE, msgspec.json.encode(confusion))


def _line(row: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in row.items() if name != "epoch")
