"""The fast path says what the plain one says, on faces of real clips.

Where faces are found again: tests/shared/faces/test_detection.py; landmarks: test_landmarks.py there.
"""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from services.ingest.crops import cut_crop
from services.worker.engine import FaceCrop, PosterEngine, Predictions
from shared.faces.detection import HaarDetector
from shared.faces.landmarks import BoxAligner
from shared.pictures import decode_crop
from shared.poster import load
from shared.video import open_clip

CPU = torch.device("cpu")
CLIPS = ("expressive_640x360.mp4", "one_face_smile_640x360.mp4", "sign_language_640x480.mkv", "vp9.webm")


@pytest.fixture(scope="module")
def faces(clips_dir: Path) -> list[FaceCrop]:
    detector, found = HaarDetector(0.125), list[FaceCrop]()
    for name in CLIPS:
        with open_clip(clips_dir / name) as footage:
            for frame in islice(footage.frames, 0, None, 12):
                for box in detector.detect(frame.image):
                    jpeg, margin = cut_crop(frame.image, box, margin=0.25, size=160, quality=95)
                    crop = decode_crop(jpeg)
                    assert crop is not None
                    found.append(FaceCrop(crop, margin, explain=True))
    return found


def _read(faces: list[FaceCrop], dtype: torch.dtype, folder: Path) -> Predictions:
    return PosterEngine(load("nano", folder), BoxAligner(CPU), CPU, dtype, 95).predict(faces)


@pytest.mark.shared
def test_bfloat16_moves_no_answer_that_a_person_would_see(faces: list[FaceCrop], tmp_path: Path) -> None:
    exact, fast = (_read(faces, dtype, tmp_path) for dtype in (torch.float32, torch.bfloat16))
    assert len(faces) > 40
    moved = np.abs(exact.probabilities - fast.probabilities).max(axis=1)
    assert np.percentile(moved, 95) <= 0.02
    assert ((exact.embeddings * fast.embeddings).sum(axis=1) > 0.99).all()
    alike = [
        np.corrcoef(one.ravel(), other.ravel())[0, 1]
        for one, other in zip(exact.cams, fast.cams, strict=True)
        if one.any()
    ]
    assert np.percentile(alike, 5) >= 0.99
