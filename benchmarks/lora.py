"""Low-rank adaptation with SAM: Reelmood's loop beside the plain one, on the same batches.

The plain loop is what peft and the published SAM code give: float32, the whole network run in both passes.
Reelmood's computes in bfloat16 where that is a gain, runs the frozen streams once a batch, and has a cheaper
dropout. Both start from the same weights, take turns round by round, and are validated at the end.
"""

import statistics
from collections.abc import Callable
from copy import deepcopy
from typing import Final

import msgspec
import numpy as np
import torch

from benchmarks.clock import Clock
from benchmarks.drawn import draw_faces
from benchmarks.machine import Machine, describe_machine
from benchmarks.models import config_of, fit_norms
from benchmarks.plain import PlainLoop
from shared.emotions import EMOTIONS
from shared.poster import build
from shared.poster.config import Size
from shared.poster.expression import ExpressionModel
from training.batches import Batches
from training.devices import describe
from training.distributed import Group
from training.evaluation.intervals import wilson
from training.evaluation.prediction import predict
from training.loop import Run
from training.lora import adapt, trainable_parameters
from training.metrics import score
from training.preparation import prepare
from training.recipe import Lora, Recipe
from training.spec import RunSpec

FER2013: Final = 28_709
"""Training pictures of FER2013."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured: `rounds` of `steps` batches with each loop, then a validation.

    `data` is a folder of FER2013's layout; without one, faces are drawn. `epoch_pictures` is the size of the
    epoch that the time of a step is multiplied up to.
    """

    size: Size = "large"
    rank: int = 64
    batch_size: int = 8
    steps: int = 10
    rounds: int = 5
    validation: int = 350
    lr: float = 1e-3
    sam_rho: float = 0.05
    seed: int = 0
    epoch_pictures: int = FER2013
    data: str | None = None


class Loop(msgspec.Struct, frozen=True, kw_only=True):
    """One loop's figures: seconds of a step, each round's median; of an epoch, extrapolated; its accuracy."""

    step_seconds: float
    step_seconds_by_round: tuple[float, ...]
    epoch_seconds_extrapolated: float
    last_loss: float
    accuracy: float
    accuracy_interval: tuple[float, float]
    macro_f1: float


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Both loops; `speedup` is the plain loop's seconds of a step divided by Reelmood's."""

    machine: Machine
    settings: Settings
    device: str
    trainable: int
    parameters: int
    accuracy_before: float
    reelmood: Loop
    plain: Loop
    speedup: float
    speedup_by_round: tuple[float, ...]


def compare(settings: Settings, tell: Callable[[str], None]) -> Comparison:
    """Train with both loops in turn and return the figures; `tell` is told of each finished round.

    Computes on the CPU, with as many threads as torch is set to. Raises DataError when `data` is no data set.
    """
    machine = describe_machine()
    group = Group(torch.device("cpu"))
    recipe = _recipe(settings)
    train, validation = _batches(settings, recipe)
    start = _start(settings, train)
    before = _validate(start, validation, group)[0]
    counts = train.targets.argmax(1).bincount(minlength=len(EMOTIONS))
    torch.manual_seed(settings.seed)
    ours = Run(adapt(deepcopy(start), recipe.lora or Lora()), recipe, train, counts, group)
    torch.manual_seed(settings.seed)
    plain = PlainLoop(start, recipe, train, counts, group)
    clocks = Clock(), Clock()
    for number in range(1, settings.rounds + 1):
        clocks[0].begin()
        row = ours.train_epoch(clocks[0])
        ours.history.append({"epoch": number, **row})
        clocks[1].begin()
        plain.train_epoch(number, clocks[1])
        seconds = [f"{statistics.median(clock.rounds[-1]):.3g} s" for clock in clocks]
        tell(
            f"round {number} of {settings.rounds}: a step takes {seconds[0]}, in the plain loop {seconds[1]}"
        )
    measured = [
        _figures(clock, model, validation, settings, group)
        for clock, model in zip(clocks, (ours.model, plain.model), strict=True)
    ]
    by_round = zip(*(loop.step_seconds_by_round for loop in measured), strict=True)
    return Comparison(
        machine=machine,
        settings=settings,
        device=describe(group.device),
        trainable=trainable_parameters(ours.model),
        parameters=sum(parameter.numel() for parameter in ours.model.parameters()),
        accuracy_before=before,
        reelmood=measured[0],
        plain=measured[1],
        speedup=measured[1].step_seconds / measured[0].step_seconds,
        speedup_by_round=tuple(slow / fast for fast, slow in by_round),
    )


def _recipe(settings: Settings) -> Recipe:
    return Recipe(
        target="label",
        epochs=settings.rounds,
        batch_size=settings.batch_size,
        loss="poster",
        lr=settings.lr,
        sam_rho=settings.sam_rho,
        ema_decay=0,
        seed=settings.seed,
        lora=Lora(rank=settings.rank),
    )


def _batches(settings: Settings, recipe: Recipe) -> tuple[Batches, Batches]:
    """Return what is trained and validated on; the targets are shares [N, 7], and labels [N, 1]."""
    count, config = settings.steps * settings.batch_size, config_of(settings.size)
    if settings.data is not None:
        spec = RunSpec(name="bench", data=settings.data, limit=count, recipe=recipe)
        prepared = prepare(spec, config)
        return _cut(prepared.train, count), _cut(prepared.validation, settings.validation)
    images, labels = draw_faces(count + settings.validation, settings.seed)
    pictures = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()
    shares = torch.eye(len(EMOTIONS))[labels[:count]]
    truth = torch.from_numpy(labels[count:, None])
    side, shown, size = config.input_size, config.preprocessing, settings.batch_size
    return (
        Batches(pictures[:count], shares, side, shown, size),
        Batches(pictures[count:], truth, side, shown, size),
    )


def _cut(batches: Batches, count: int) -> Batches:
    """Return `count` pictures at even distances, so that the classes keep their shares."""
    rows = np.linspace(0, len(batches.images) - 1, min(count, len(batches.images))).astype(int)
    return Batches(
        batches.images[rows], batches.targets[rows], batches.size, batches.preprocessing, batches.batch_size
    )


def _start(settings: Settings, train: Batches) -> ExpressionModel:
    """Return the model that both start from: new weights, their batch norms fitted to the first pictures."""
    torch.manual_seed(settings.seed)
    model = build(settings.size, len(EMOTIONS))
    images, _ = next(train.in_order())
    fit_norms(model, images)
    return model


def _validate(
    model: ExpressionModel, validation: Batches, group: Group
) -> tuple[float, tuple[float, float], float]:
    """Return accuracy, its interval, and macro F1."""
    predicted = predict(model, EMOTIONS, validation, group.device, flip=False).argmax(axis=1)
    scores = score(validation.targets[:, 0].numpy(), predicted)
    hits = int(scores.confusion.trace())
    return scores.accuracy, wilson(hits, scores.count), scores.macro_f1


def _figures(
    clock: Clock, model: ExpressionModel, validation: Batches, settings: Settings, group: Group
) -> Loop:
    accuracy, interval, macro_f1 = _validate(model, validation, group)
    step = statistics.median(second for one in clock.rounds for second in one)
    return Loop(
        step_seconds=step,
        step_seconds_by_round=tuple(statistics.median(one) for one in clock.rounds),
        epoch_seconds_extrapolated=step * (settings.epoch_pictures // settings.batch_size),
        last_loss=clock.loss,
        accuracy=accuracy,
        accuracy_interval=interval,
        macro_f1=macro_f1,
    )
