"""The bundled default model: that it fits, and that it still knows what it was trained for."""

import csv
import io
import tarfile
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from shared.emotions import EMOTIONS
from shared.faces.alignment import MtcnnAligner, similarity, warp
from shared.faces.detection import HaarDetector
from shared.faces.preprocessing import preprocess
from shared.poster import checkpoints
from shared.poster.folder import BUNDLED
from shared.poster.nano import LANDMARK_SIZE, PREPROCESSING, Nano

Image = NDArray[np.uint8]


@pytest.fixture(scope="module")
def nano() -> Nano:
    model = checkpoints.load("nano")
    assert isinstance(model, Nano)
    return model


def draw_face(eyes: float) -> Image:
    """Draw a face that fills a picture, RGB [224, 224, 3]; its eyes are at the height `eyes`."""
    side = 224
    picture = np.full((side, side), 90, np.uint8)

    def ellipse(x: float, y: float, half_width: float, half_height: float, grey: int) -> None:
        centre, axes = (
            (round(x * side), round(y * side)),
            (round(half_width * side), round(half_height * side)),
        )
        cv2.ellipse(picture, centre, axes, 0, 0, 360, grey, -1, cv2.LINE_AA)

    ellipse(0.5, 0.5, 0.38, 0.48, 190)
    ellipse(0.5, 0.06, 0.36, 0.12, 50)
    for x in (0.33, 0.67):
        ellipse(x, eyes - 0.08, 0.1, 0.02, 60)
        ellipse(x, eyes, 0.08, 0.035, 235)
        ellipse(x, eyes, 0.033, 0.033, 30)
    ellipse(0.5, 0.5, 0.03, 0.12, 210)
    for x in (0.46, 0.54):
        ellipse(x, 0.6, 0.02, 0.012, 90)
    ellipse(0.5, 0.76, 0.14, 0.035, 100)
    return np.repeat(cv2.GaussianBlur(picture, (0, 0), 3)[:, :, None], 3, axis=2).astype(np.uint8)


@torch.inference_mode()
def ask(nano: Nano, faces: Image) -> NDArray[np.float32]:
    """Return probabilities [N, 7] for aligned faces [N, s, s, 3]."""
    assert nano.config is not None
    shown = torch.from_numpy(preprocess(faces, nano.config.preprocessing, nano.input_size))
    probabilities: NDArray[np.float32] = nano(shown).logits.softmax(1).numpy()
    return probabilities


def test_the_bundle_is_small() -> None:
    files = [file for file in BUNDLED.rglob("*") if file.is_file()]
    assert (BUNDLED / "nano" / "README.md") in files
    assert sum(file.stat().st_size for file in files) <= 16_000_000


def test_the_config_says_what_the_model_is(nano: Nano) -> None:
    assert nano.config is not None
    assert (nano.config.name, nano.config.labels) == ("nano", EMOTIONS)
    assert nano.config.preprocessing.mean == PREPROCESSING.mean
    assert nano.config.metrics is not None
    assert nano.config.metrics["ferplus_majority_accuracy"] >= 0.88


@pytest.mark.parametrize("eyes", [0.34, 0.38, 0.44])
def test_the_landmark_stream_finds_eyes_and_mouth(nano: Nano, eyes: float) -> None:
    shown = torch.from_numpy(preprocess(draw_face(eyes)[None], PREPROCESSING, LANDMARK_SIZE))
    with torch.inference_mode():
        points = nano.landmark(shown)[0].numpy()
    found = np.stack((points[36:42].mean(0), points[42:48].mean(0), points[48:68].mean(0)))
    np.testing.assert_allclose(found, [(0.33, eyes), (0.67, eyes), (0.5, 0.76)], atol=0.04)


def aligned_faces(clip: Path, every: int, zoom: float) -> Image:
    """Return the face of each `every`th frame of a clip with one face, aligned as the worker does it."""
    detector, aligner = HaarDetector(0.25), MtcnnAligner(torch.device("cpu"))
    crops = []
    video = cv2.VideoCapture(str(clip))
    for index in range(int(video.get(cv2.CAP_PROP_FRAME_COUNT))):
        _, frame = video.read()
        if index % every == 0:
            rgb = np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), np.uint8)
            (box,) = detector.detect(rgb)
            margin = box.w // 4
            wide = np.pad(rgb, ((margin, margin), (margin, margin), (0, 0)))
            side = box.w + 2 * margin
            crops.append(np.asarray(wide[box.y : box.y + side, box.x : box.x + side], np.uint8))
    points, found = aligner.find(crops)
    assert found.all()
    matrices = [similarity(face) for face in points]
    return np.stack(
        [
            warp(crop, matrix, 224, zoom)
            for crop, matrix in zip(crops, matrices, strict=True)
            if matrix is not None
        ]
    )


@pytest.mark.shared
def test_a_smile_turns_neutral_into_happy(nano: Nano, clips_dir: Path) -> None:
    assert nano.config is not None
    faces = aligned_faces(clips_dir / "one_face_smile_640x360.mp4", 6, nano.config.preprocessing.zoom)
    said = [EMOTIONS[index] for index in ask(nano, faces).argmax(1)]
    assert said[0] == "neutral"
    assert "happy" in said
    assert set(said) <= {"neutral", "happy", "surprise"}


@pytest.mark.shared
def test_seven_of_eight_public_test_pictures_are_as_people_see_them(nano: Nano, shared_data: Path) -> None:
    votes = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
    others = ("contempt", "unknown", "NF")
    truth: dict[str, int] = {}
    for row in csv.DictReader(io.StringIO((shared_data / "ferplus_votes.csv").read_text())):
        counts = [int(row[column]) for column in votes]
        if row["path"].startswith("test/") and 2 * max(counts) > sum(counts) + sum(
            int(row[c]) for c in others
        ):
            truth[row["path"]] = counts.index(max(counts))
    chosen = dict(list(truth.items())[::8])
    faces: dict[str, Image] = {}
    with tarfile.open(shared_data / "fer2013.tar") as archive:
        for member in archive:
            name = member.name.removeprefix("fer2013/")
            file = archive.extractfile(member) if name in chosen else None
            if file is not None:
                faces[name] = np.asarray(
                    cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_COLOR_RGB), np.uint8
                )
    predicted = ask(nano, np.stack([faces[name] for name in chosen])).argmax(1)
    assert len(chosen) == 357
    assert (predicted == list(chosen.values())).mean() >= 0.88
