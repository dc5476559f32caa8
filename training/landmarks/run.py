"""What `reelmood landmarks` does: teach MobileFaceNet the 68 points, and measure both nets."""

import logging
from pathlib import Path
from typing import Final

import torch
from safetensors.torch import save_file

from shared.poster.mobilefacenet import MobileFaceNet
from training.datasets.catalogue import NATIVE_SIDES, read_split
from training.devices import choose_device, describe
from training.landmarks.batches import Batches
from training.landmarks.loop import Run, fit
from training.landmarks.report import Report, measure
from training.landmarks.spec import STREAM_FILE, LandmarkSpec, keep_spec
from training.landmarks.student import SIDE, new_student
from training.landmarks.teacher import read_teacher, teach
from training.observer import NOBODY, Observer
from training.preparation import SPLIT_SEED
from training.splits import keep_share, split_validation

log = logging.getLogger(__name__)

STATE_FILE: Final = "state.pt"
HELD_OUT: Final = 0.05
GREY: Final = ("fer2013", "ckplus")
"""Data sets without colour."""


def train(
    spec: LandmarkSpec,
    out: Path,
    *,
    models: Path | None = None,
    device: str = "auto",
    observe: Observer = NOBODY,
) -> Report:
    """Train the landmark stream in the folder `out`, or go on where it was stopped, and return its report.

    Of the training pictures of the data set 5 % are held out for the report, which `out` takes beside the
    stream. The test split is left alone. Raises DataError or ModelError on anything that a person can mend.
    """
    where = choose_device(device)
    teacher = read_teacher(spec.teacher, models)
    side = min(SIDE, NATIVE_SIDES.get(spec.dataset, SIDE))
    faces = read_split(spec.dataset, Path(spec.data), "train", side, spec.dataset in GREY)
    train_rows, held_rows = split_validation(faces, HELD_OUT, SPLIT_SEED)
    if spec.limit is not None and spec.limit < len(train_rows):
        train_rows = train_rows[keep_share(faces.labels[train_rows], spec.limit, SPLIT_SEED)]
    images = faces.images[train_rows]
    keep_spec(out, spec)
    log.info("landmarks of %d pictures, device %s", len(images), describe(where))
    points = teach(teacher, images, where)
    torch.manual_seed(spec.seed)
    pixels = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()
    batches = Batches(pixels, torch.from_numpy(points), spec, where)
    run = Run(new_student(points), spec, batches.steps, where)
    fit(run, batches, out / STATE_FILE, observe)
    report = measure(run.net, teacher, spec, faces.images[held_rows], len(images), where)
    _write(run.net, report, out)
    return report


def _write(net: MobileFaceNet, report: Report, out: Path) -> None:
    partial = out / f".{STREAM_FILE}.part"
    save_file({key: value.cpu().contiguous() for key, value in net.state_dict().items()}, partial)
    partial.replace(out / STREAM_FILE)
    (out / "report.json").write_text(report.to_json())
    (out / "report.md").write_text(report.to_markdown())
