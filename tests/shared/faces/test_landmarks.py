from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest
import torch
from facenet_pytorch import MTCNN
from facenet_pytorch.models.mtcnn import ONet
from numpy.typing import NDArray

from services.ingest.crops import cut_crop
from shared.faces.detection import HaarDetector
from shared.faces.landmarks import BoxAligner
from shared.pictures import decode_crop
from shared.video import open_clip

MARGIN = 0.25


@pytest.fixture(scope="module")
def aligner() -> BoxAligner:
    return BoxAligner(torch.device("cpu"))


def _noise(side: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)


def test_no_face_has_no_landmarks(aligner: BoxAligner) -> None:
    points, found = aligner.find([_noise(160), np.zeros((64, 64, 3), np.uint8)], [MARGIN, 0.0])
    assert found.tolist() == [False, False]
    assert points.shape == (2, 5, 2)
    assert not points.any()


def test_no_crop_has_no_landmarks(aligner: BoxAligner) -> None:
    points, found = aligner.find([], [])
    assert (points.shape, found.shape) == ((0, 5, 2), (0,))


def test_where_a_batch_changes_an_answer_faces_go_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    class Crowded(ONet):  # type: ignore[misc]
        def forward(self, faces: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
            moved, points, _ = super().forward(faces)
            return moved, points + 0.1 * len(faces), torch.tensor([[0.0, 1.0]]).expand(len(faces), 2)

    monkeypatch.setattr("shared.faces.landmarks.ONet", Crowded)
    aligner = BoxAligner(torch.device("cpu"))
    crops = [_noise(120), _noise(120)[::-1].copy()]
    together, found = aligner.find(crops, [0.25, 0.25])
    alone = [aligner.find([crop], [0.25]).points[0] for crop in crops]
    assert found.all()
    np.testing.assert_array_equal(together, alone)


class Crops(NamedTuple):
    """Crops as ingest cuts them, and their margins."""

    images: list[NDArray[np.uint8]]
    margins: list[float]


@pytest.fixture(scope="module")
def faces(clips_dir: Path) -> Crops:
    """Every tenth frame's faces of two clips."""
    detector, crops, margins = HaarDetector(0.125), list[NDArray[np.uint8]](), list[float]()
    for name in ("expressive_640x360.mp4", "one_face_smile_640x360.mp4"):
        with open_clip(clips_dir / name) as footage:
            for frame in footage.frames:
                for box in detector.detect(frame.image) if frame.index % 10 == 0 else []:
                    jpeg, margin = cut_crop(frame.image, box, margin=MARGIN, size=160, quality=95)
                    crop = decode_crop(jpeg)
                    assert crop is not None
                    crops.append(crop)
                    margins.append(margin)
    return Crops(crops, margins)


@pytest.mark.shared
def test_landmarks_are_where_full_mtcnn_has_them(faces: Crops, aligner: BoxAligner) -> None:
    crops, margins = faces
    points, found = aligner.find(crops, margins)
    reference, seen = _full_mtcnn(crops)
    assert (found == seen).mean() >= 0.98
    both = found & seen
    eyes = np.linalg.norm(reference[both, 0] - reference[both, 1], axis=-1)
    off = np.linalg.norm(points[both] - reference[both], axis=-1).mean(axis=1) / eyes
    assert np.median(off) <= 0.04
    assert np.percentile(off, 95) <= 0.1


def _full_mtcnn(crops: Sequence[NDArray[np.uint8]]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    mtcnn = MTCNN()
    points, found = np.zeros((len(crops), 5, 2)), np.zeros(len(crops), np.bool_)
    for index, crop in enumerate(crops):
        _, _, landmarks = mtcnn.detect(crop, landmarks=True)
        if landmarks is not None:
            points[index], found[index] = landmarks[0], True
    return points, found


@pytest.mark.shared
def test_landmarks_scale_with_the_crop_and_do_not_depend_on_the_others(
    faces: Crops, aligner: BoxAligner
) -> None:
    crops, margins = faces.images[:6], faces.margins[:6]
    together, _ = aligner.find(crops, margins)
    for crop, margin, expected in zip(crops, margins, together, strict=True):
        (alone,), _ = aligner.find([crop], [margin])
        np.testing.assert_array_equal(alone, expected)
        twice = np.asarray(cv2.resize(crop, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), np.uint8)
        (larger,), _ = aligner.find([twice], [margin])
        np.testing.assert_allclose((larger + 0.5) / 2 - 0.5, alone, atol=2)


@pytest.mark.shared
def test_a_box_that_is_a_tenth_off_gives_about_the_same_landmarks(faces: Crops, aligner: BoxAligner) -> None:
    crops, margins = faces
    right, found = aligner.find(crops, margins)
    larger, _ = aligner.find(crops, [(1 + 2 * margin) / 1.1 / 2 - 0.5 for margin in margins])
    eyes = np.linalg.norm(right[found, 0] - right[found, 1], axis=-1)
    assert np.median(np.linalg.norm(larger[found] - right[found], axis=-1).mean(axis=1) / eyes) < 0.03
