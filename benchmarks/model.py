"""The model alone: each size, precision and batch, with and without Grad-CAM, beside the device's ceiling."""

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from pathlib import Path

import msgspec
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.ceiling import Ceiling, Precision, dtype_of, finish, measure_ceiling
from benchmarks.machine import Machine, describe_machine
from benchmarks.models import Choice, open_model
from benchmarks.timing import Tell, summarise, time_in_turn
from shared import heap
from shared.errors import ReelmoodError
from shared.poster.cam import predict_with_cam
from shared.poster.config import Size
from shared.poster.expression import ExpressionModel
from shared.poster.serving import prepare


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured. The sizes have new weights; without any, it is the model called `name`."""

    name: str = "active"
    sizes: tuple[Size, ...] = ("nano", "small", "base", "large")
    precisions: tuple[Precision, ...] = ("fp32", "bf16")
    batches: tuple[int, ...] = (1, 8, 32)
    repeats: int = 10
    seed: int = 0
    device: str = "cpu"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One way to run a model, median of the repeats.

    `share` is the part of the ceiling of this precision that it reaches: the operations of the forward pass
    (2 for a multiplication with its addition) by the time and the ceiling. With Grad-CAM the backward pass is
    work on top that does not count as such.
    """

    model: str
    precision: Precision
    batch: int
    cam: bool
    ms_a_face: float
    faces_per_s: float
    gflop_a_face: float
    share: float
    ms_p95: float


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """The figures, the machine, and what was measured."""

    machine: Machine
    settings: Settings
    device: str
    ceilings: tuple[Ceiling, ...]
    rows: tuple[Row, ...]


def measure(settings: Settings, models: Path, tell: Tell) -> Measured:
    """Time every combination, with and without Grad-CAM in turn, between the same ceilings.

    Models are prepared as a worker does; from then on this process keeps what it frees (`shared.heap`).
    Raises ReelmoodError when there is no such device or model, or when the device has not such a precision.
    """
    device = _device(settings.device)
    dtypes = {one: dtype_of(one, device) for one in settings.precisions}
    heap.hold()
    machine = describe_machine()
    ceilings = {one: measure_ceiling(one, device, settings.repeats) for one in settings.precisions}
    for ceiling in ceilings.values():
        tell(f"ceiling in {ceiling.precision}: {ceiling.gflops:.0f} GFLOP/s")
    rows: list[Row] = []
    for label, model in _models(settings, models):
        operations = count_operations(model)
        for precision, dtype in dtypes.items():
            ready = prepare(deepcopy(model), dtype, device)
            for batch in settings.batches:
                pair = _rows(label, ready, operations, ceilings[precision], batch, settings.repeats)
                rows += pair
                tell(f"{label}, {precision}, batch {batch}: {pair[0].ms_a_face:.3g} ms a face")
    return Measured(
        machine=machine,
        settings=settings,
        device=_describe(device),
        ceilings=tuple(ceilings.values()),
        rows=tuple(rows),
    )


def count_operations(model: ExpressionModel) -> int:
    """Return the floating-point operations of a forward pass of one face."""
    side, device = model.input_size, next(model.parameters()).device
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, 3, side, side, device=device))
    return int(counter.get_total_flops())


def share_of_ceiling(operations: float, seconds: float, ceiling: Ceiling) -> float:
    """Return which part of the ceiling so many operations in so many seconds are."""
    return operations / seconds / 1e9 / ceiling.gflops


def _models(settings: Settings, models: Path) -> Iterator[tuple[str, ExpressionModel]]:
    if not settings.sizes:
        yield settings.name, open_model(Choice(name=settings.name), models)
    for size in settings.sizes:
        yield size, open_model(Choice(size=size, seed=settings.seed), models)


def _rows(
    label: str, model: ExpressionModel, operations: int, ceiling: Ceiling, batch: int, repeats: int
) -> Sequence[Row]:
    like = next(model.parameters())
    images = torch.randn(batch, 3, model.input_size, model.input_size).to(like.device, like.dtype)
    seconds = time_in_turn(_calls(model, images.to(memory_format=torch.channels_last)), repeats)
    rows = []
    for name, measured in seconds.items():
        times = summarise(measured)
        rows.append(
            Row(
                model=label,
                precision=ceiling.precision,
                batch=batch,
                cam=name == "cam",
                ms_a_face=1000 * times.median_s / batch,
                faces_per_s=batch / times.median_s,
                gflop_a_face=operations / 1e9,
                share=share_of_ceiling(operations * batch, times.median_s, ceiling),
                ms_p95=1000 * times.p95_s / batch,
            )
        )
    return rows


def _calls(model: ExpressionModel, images: Tensor) -> dict[str, Callable[[], object]]:
    def plain() -> None:
        with torch.inference_mode():
            model(images)
        finish(images.device)

    def cam() -> None:
        predict_with_cam(model, images)
        finish(images.device)

    return {"plain": plain, "cam": cam}


def _device(name: str) -> torch.device:
    if name != "cpu" and not torch.cuda.is_available():
        raise ReelmoodError("this machine has no GPU that torch can use (CUDA)")
    return torch.device(name)


def _describe(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
