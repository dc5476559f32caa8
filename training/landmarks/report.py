"""How far off the landmark nets are, on held-out faces."""

from dataclasses import asdict, dataclass
from typing import Final

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray

from shared.faces.alignment import Landmarks, MtcnnAligner
from shared.poster.config import Preprocessing
from shared.poster.mobilefacenet import MobileFaceNet
from shared.poster.streams import LandmarkNet
from training.geometry import five_of_68
from training.landmarks.mtcnn import five_points
from training.landmarks.points import OUTER_EYE_CORNERS, Errors, point_errors, summarise
from training.landmarks.spec import LandmarkSpec
from training.landmarks.student import find_points
from training.landmarks.teacher import TEACHER_SEES, teach

EYE_CENTRES: Final = (0, 1)
POINTS: Final = ("left eye", "right eye", "tip of the nose", "left mouth corner", "right mouth corner")


@dataclass(frozen=True)
class FivePoints:
    """Errors of five points against MTCNN's, in distances of MTCNN's eye centres; each point's mean apart."""

    errors: Errors
    points: dict[str, float]


@dataclass(frozen=True)
class Report:
    """Errors on `held_out` faces that the student was not trained on, of which MTCNN found `detected`."""

    trained_on: int
    held_out: int
    detected: int
    student: Errors
    """Of all 68 points against the teacher's, in distances of the outer eye corners."""
    student_mtcnn: FivePoints
    teacher_mtcnn: FivePoints

    def to_json(self) -> str:
        """Return the report as JSON; errors are fractions of an eye distance."""
        return msgspec.json.format(msgspec.json.encode(asdict(self)), indent=2).decode() + "\n"

    def to_markdown(self) -> str:
        """Return the report as Markdown; errors in percent of an eye distance."""
        rows = {
            "MobileFaceNet": ("teacher, 68 points, outer eye corners", self.student),
            "68-point net": ("MTCNN, 5 points, eye centres", self.teacher_mtcnn.errors),
            "MobileFaceNet ": ("MTCNN, 5 points, eye centres", self.student_mtcnn.errors),
        }
        lines = [
            "# Landmarks on held-out faces",
            "",
            f"MobileFaceNet was taught on {self.trained_on:,} pictures by the 68-point net (mean over "
            f"picture and mirror image), and measured on {self.held_out:,} others; MTCNN finds a face in "
            f"{self.detected:,} of them. An error is the mean distance of a face's points, in percent of the "
            "distance of its eyes: of their outer corners (points 37 and 46, as in 300-W) where there are "
            "68 points, of their centres where there are 5.",
            "",
            "| net | against | faces | mean | median | 95 % are below |",
            "|---|---|---|---|---|---|",
        ]
        lines += [
            f"| {net.strip()} | {against} | {errors.count:,} | {_percent(errors.mean)} "
            f"| {_percent(errors.median)} | {_percent(errors.high)} |"
            for net, (against, errors) in rows.items()
        ]
        lines += ["", "Mean error of each of the five points against MTCNN's:", ""]
        lines += [f"| net | {' | '.join(POINTS)} |", "|---" * (len(POINTS) + 1) + "|"]
        for net, five in (("68-point net", self.teacher_mtcnn), ("MobileFaceNet", self.student_mtcnn)):
            lines.append(f"| {net} | {' | '.join(_percent(five.points[point]) for point in POINTS)} |")
        return "\n".join(lines) + "\n"


def measure(
    student: MobileFaceNet,
    teacher: LandmarkNet,
    spec: LandmarkSpec,
    images: NDArray[np.uint8],
    trained_on: int,
    device: torch.device,
) -> Report:
    """Compare both nets with each other and with MTCNN on held-out pictures, uint8 [N, S, S, 1 or 3]."""
    alone = find_points(teacher, images, TEACHER_SEES, device)
    found = find_points(student, images, Preprocessing(mean=spec.mean, std=spec.std), device)
    five = five_points(images, MtcnnAligner(device))
    return Report(
        trained_on=trained_on,
        held_out=len(images),
        detected=int(five.found.sum()),
        student=summarise(point_errors(found, teach(teacher, images, device), OUTER_EYE_CORNERS)),
        student_mtcnn=against_mtcnn(found, five),
        teacher_mtcnn=against_mtcnn(alone, five),
    )


def against_mtcnn(points: NDArray[np.float32], five: Landmarks) -> FivePoints:
    """Compare 68 `points` [N, 68, 2] with MTCNN's five, where it found any."""
    errors = point_errors(five_of_68(points)[five.found], five.points[five.found], EYE_CENTRES)
    means = errors.mean(axis=0) if len(errors) else np.full(len(POINTS), np.nan)
    return FivePoints(summarise(errors), dict(zip(POINTS, map(float, means), strict=True)))


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
