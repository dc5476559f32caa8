"""Alignment: how long the landmarks of a face take, and how far they are from full MTCNN's."""

from collections.abc import Callable, Mapping, Sequence

import msgspec
import numpy as np
import torch
from facenet_pytorch import MTCNN
from numpy.typing import NDArray

from benchmarks.clips import cut_faces, existing, read_frames
from benchmarks.machine import Machine, describe_machine
from benchmarks.timing import Tell, summarise, time_in_turn
from shared.faces.alignment import FaceAligner, Landmarks, MtcnnAligner
from shared.faces.detection import HaarDetector
from shared.faces.landmarks import BoxAligner
from shared.settings import Settings as ProductSettings

Crops = Sequence[NDArray[np.uint8]]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured: the first `faces` of a clip, `batch` at a time."""

    clip: str
    faces: int = 64
    batch: int = 32
    repeats: int = 5


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """An aligner, median of the repeats. Times in milliseconds a face.

    `off_p50` and `off_p95` are how far a face's five points lie from full MTCNN's on average, in distances
    between the eyes, of the faces that both find.
    """

    aligner: str
    ms_a_face: float
    ms_p95: float
    found: float
    off_p50: float | None
    off_p95: float | None


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """The figures, the machine, and what was measured."""

    machine: Machine
    settings: Settings
    faces: int
    rows: tuple[Row, ...]


class FullMtcnn:
    """MTCNN at the defaults of `facenet_pytorch`, one crop at a time: the reference."""

    def __init__(self) -> None:
        self._mtcnn = MTCNN()

    def find(self, crops: Crops) -> Landmarks:
        """Return the landmarks of each crop's most likely face; see `FaceAligner`."""
        points, found = np.zeros((len(crops), 5, 2), np.float32), np.zeros(len(crops), np.bool_)
        for index, crop in enumerate(crops):
            _, _, faces = self._mtcnn.detect(crop, landmarks=True)
            if faces is not None:
                points[index], found[index] = faces[0], True
        return Landmarks(points, found)


class WorkersAligner:
    """The aligner of the workers, who know where in the crop the box is: `margin` sides of it inside."""

    def __init__(self, margin: float) -> None:
        self._aligner = BoxAligner(torch.device("cpu"))
        self._margin = margin

    def find(self, crops: Crops) -> Landmarks:
        """Return the landmarks of each crop's box; see `FaceAligner`."""
        return self._aligner.find(crops, [self._margin] * len(crops))


def aligners(margin: float) -> dict[str, FaceAligner]:
    """Return what is compared, on crops of this margin; the last one is the reference."""
    return {
        "worker's": WorkersAligner(margin),
        "MTCNN for crops": MtcnnAligner(torch.device("cpu")),
        "full MTCNN": FullMtcnn(),
    }


def measure(settings: Settings, product: ProductSettings, tell: Tell) -> Measured:
    """Time each aligner on the same crops, cut as ingest cuts them, in turn.

    Raises ClipError when the clip cannot be read or has no face.
    """
    path = existing(settings.clip)
    machine = describe_machine()
    frames = read_frames(path, settings.faces)
    detector = HaarDetector(product.min_face_fraction)
    crops = cut_faces(frames, detector, product.crop_margin, product.crop_size)[: settings.faces]
    tell(f"{len(crops)} faces of {path.name}")
    return Measured(
        machine=machine,
        settings=settings,
        faces=len(crops),
        rows=tuple(compare(aligners(product.crop_margin), crops, settings.batch, settings.repeats)),
    )


def compare(compared: Mapping[str, FaceAligner], crops: Crops, batch: int, repeats: int) -> list[Row]:
    """Return a row for each aligner; the last one is the reference."""
    parts = [crops[start : start + batch] for start in range(0, len(crops), batch)]

    def runs(aligner: FaceAligner) -> Callable[[], object]:
        return lambda: [aligner.find(part) for part in parts]

    seconds = time_in_turn({name: runs(aligner) for name, aligner in compared.items()}, repeats)
    found = {name: aligner.find(crops) for name, aligner in compared.items()}
    reference = list(found.values())[-1]
    rows = []
    for name, landmarks in found.items():
        times, off = summarise(seconds[name]), distances(landmarks, reference)
        rows.append(
            Row(
                aligner=name,
                ms_a_face=1000 * times.median_s / len(crops),
                ms_p95=1000 * times.p95_s / len(crops),
                found=float(landmarks.found.mean()),
                off_p50=float(np.percentile(off, 50)) if len(off) else None,
                off_p95=float(np.percentile(off, 95)) if len(off) else None,
            )
        )
    return rows


def distances(one: Landmarks, other: Landmarks) -> NDArray[np.float64]:
    """Return the mean distance of five points, in the other's distance between the eyes, of the faces that
    both found, float64 [F].
    """
    both = one.found & other.found
    mine, theirs = one.points[both].astype(np.float64), other.points[both].astype(np.float64)
    eyes = np.linalg.norm(theirs[:, 0] - theirs[:, 1], axis=-1)
    return np.asarray(np.linalg.norm(mine - theirs, axis=-1).mean(axis=1) / eyes, np.float64)
