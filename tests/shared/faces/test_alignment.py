from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from shared.faces.alignment import (
    TEMPLATE,
    TEMPLATE_SIDE,
    MtcnnAligner,
    box_to_template,
    similarity,
    warp,
)

CROP = 160
Points = NDArray[np.float32]


def _similarity(degrees: float, scale: float, x: float, y: float) -> NDArray[np.float64]:
    """Turn and scale about the template's centre, then shift."""
    centre = (TEMPLATE_SIDE / 2, TEMPLATE_SIDE / 2)
    matrix = np.asarray(cv2.getRotationMatrix2D(centre, degrees, scale), np.float64)
    matrix[:, 2] += (x, y)
    return matrix


def _apply(matrix: NDArray[np.float64], points: Points) -> Points:
    return (points @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)


def _noise(side: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)


def _smooth(side: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(_noise(7), (side, side), interpolation=cv2.INTER_CUBIC), np.uint8)


similarities = st.builds(
    _similarity, st.floats(-180, 180), st.floats(0.2, 4), st.floats(-300, 300), st.floats(-300, 300)
)


@given(similarities)
def test_a_template_moved_by_a_similarity_is_brought_back(moved_by: NDArray[np.float64]) -> None:
    points = _apply(moved_by, TEMPLATE)
    back = similarity(points)
    assert back is not None
    np.testing.assert_allclose(_apply(back, points), TEMPLATE, atol=0.02)
    np.testing.assert_allclose(back[:, :2] @ moved_by[:, :2], np.eye(2), atol=1e-4)


@given(similarities, st.integers(0, 2**32 - 1))
def test_the_fit_is_the_least_squares_one_over_all_points(moved_by: NDArray[np.float64], seed: int) -> None:
    scale = float(np.sqrt(np.linalg.det(moved_by[:, :2])))
    noise = np.random.default_rng(seed).normal(0, 10 * scale, TEMPLATE.shape)
    points = (_apply(moved_by, TEMPLATE) + noise).astype(np.float32)
    x, y = points.astype(np.float64).T
    zero, one = np.zeros(5), np.ones(5)
    rows = np.vstack([np.stack([x, -y, one, zero], axis=1), np.stack([y, x, zero, one], axis=1)])
    a, b, shift_x, shift_y = np.linalg.lstsq(rows, TEMPLATE.T.reshape(-1).astype(np.float64))[0]
    fitted = similarity(points)
    assert fitted is not None
    expected = _apply(np.array([[a, -b, shift_x], [b, a, shift_y]]), points)
    np.testing.assert_allclose(_apply(fitted, points), expected, atol=0.05)


def test_the_fit_is_the_same_whatever_the_state_of_the_random_generator() -> None:
    points = TEMPLATE + np.random.default_rng(1).normal(0, 8, TEMPLATE.shape).astype(np.float32)
    fits = []
    for seed in range(20):
        cv2.setRNGSeed(seed)
        fitted = similarity(points)
        assert fitted is not None
        fits.append(fitted.tobytes())
    assert len(set(fits)) == 1


@pytest.mark.parametrize("value", [0, 50, np.nan, np.inf])
def test_points_that_fall_together_have_no_similarity(value: float) -> None:
    assert similarity(np.full((5, 2), value, np.float32)) is None


@given(similarities, st.sampled_from([1.0, 0.8, 1.37]))
def test_the_warp_to_112_is_every_second_pixel_of_that_to_224(
    to_template: NDArray[np.float64], zoom: float
) -> None:
    crop = _noise(CROP)
    whole = warp(crop, to_template, 224, zoom)
    picture = torch.from_numpy(whole).permute(2, 0, 1)[None].float()
    nearest = torch.nn.functional.interpolate(picture, size=112)[0].permute(1, 2, 0).byte().numpy()
    np.testing.assert_array_equal(warp(crop, to_template, 112, zoom), nearest)


@pytest.mark.parametrize("side", [112, 128, 224])
@pytest.mark.parametrize(
    ("degrees", "scale", "x", "y"), [(0, 1, 0, 0), (30, 0.6, 12, -9), (-75, 1.3, -40, 25)]
)
def test_a_turned_picture_is_warped_back(side: int, degrees: float, scale: float, x: float, y: float) -> None:
    face = _smooth(TEMPLATE_SIDE)
    moved_by = _similarity(degrees, scale, x + 200, y + 200)
    crop = np.asarray(cv2.warpAffine(face, moved_by, (640, 640), borderMode=cv2.BORDER_REPLICATE), np.uint8)
    to_template = similarity(_apply(moved_by, TEMPLATE))
    assert to_template is not None
    expected = cv2.warpAffine(face, np.array([[side / 224, 0, 0], [0, side / 224, 0]]), (side, side))
    difference = np.abs(warp(crop, to_template, side).astype(int) - expected)
    assert difference[1:-1, 1:-1].mean() < 3


def test_beyond_the_crop_is_black() -> None:
    white = np.full((CROP, CROP, 3), 255, np.uint8)
    shifted = warp(white, np.array([[1.0, 0, 100], [0, 1.0, 0]]), TEMPLATE_SIDE)
    assert not shifted[:, :99].any()
    assert (shifted[: CROP - 1, 101:] == 255).all()


@given(st.floats(0.25, 4), st.sampled_from([112, 128]))
def test_zoom_leaves_the_centre_and_scales_the_rest(zoom: float, side: int) -> None:
    spots = np.zeros((TEMPLATE_SIDE, TEMPLATE_SIDE, 3), np.uint8)
    cv2.circle(spots, (112, 112), 12, (255, 255, 255), -1)
    zoomed = warp(spots, np.eye(2, 3), side, zoom) > 127
    rows, columns = np.nonzero(zoomed[..., 0])
    assert abs(rows.mean() - side / 2) < 1.5
    assert abs(columns.mean() - side / 2) < 1.5
    radius = np.sqrt(len(rows) / np.pi)
    assert radius == pytest.approx(12.3 * zoom * side / TEMPLATE_SIDE, rel=0.15, abs=0.7)


@given(st.integers(48, 512), st.floats(0, 1))
def test_without_landmarks_the_box_fills_the_frame(side: int, margin: float) -> None:
    box = side / (1 + 2 * margin)
    corners = np.array([[(side - box) / 2] * 2, [(side + box) / 2] * 2], np.float32)
    mapped = _apply(box_to_template(side, margin), corners)
    np.testing.assert_allclose(mapped, [[0, 0], [TEMPLATE_SIDE, TEMPLATE_SIDE]], atol=0.01)


@pytest.fixture(scope="module")
def aligner() -> MtcnnAligner:
    return MtcnnAligner(torch.device("cpu"))


def test_no_face_has_no_landmarks(aligner: MtcnnAligner) -> None:
    points, found = aligner.find([_noise(CROP), np.zeros((64, 64, 3), np.uint8), _smooth(300)])
    assert found.tolist() == [False, False, False]
    assert points.shape == (3, 5, 2)
    assert not points.any()


def test_no_crop_has_no_landmarks(aligner: MtcnnAligner) -> None:
    points, found = aligner.find([])
    assert (points.shape, found.shape) == ((0, 5, 2), (0,))


def _haar_crops(clip: Path, margin: float = 0.25) -> list[NDArray[np.uint8]]:
    cascade = Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_default.xml"
    haar, video = cv2.CascadeClassifier(str(cascade)), cv2.VideoCapture(str(clip))
    crops: list[NDArray[np.uint8]] = []
    while True:
        read, frame = video.read()
        if not read:
            return crops
        smallest = frame.shape[0] // 6
        grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
        for x, y, side, _ in haar.detectMultiScale(grey, 1.3, 5, minSize=(smallest, smallest)):
            scale = CROP / (side * (1 + 2 * margin))
            matrix = np.array(
                [[scale, 0, -(x - margin * side) * scale], [0, scale, -(y - margin * side) * scale]]
            )
            crop = cv2.warpAffine(frame, matrix, (CROP, CROP))
            crops.append(np.asarray(cv2.cvtColor(crop, cv2.COLOR_BGR2RGB), np.uint8))


@pytest.mark.shared
def test_landmarks_are_found_on_real_faces(clips_dir: Path, aligner: MtcnnAligner) -> None:
    crops = _haar_crops(clips_dir / "one_face_smile_640x360.mp4")
    points, found = aligner.find(crops)
    assert len(crops) > 50
    assert found.mean() >= 0.95
    left_eye, right_eye, nose, left_mouth, right_mouth = points[found].transpose(1, 2, 0)
    assert (left_eye[0] < right_eye[0]).all()
    assert (left_mouth[0] < right_mouth[0]).all()
    assert ((left_eye[1] < nose[1]) & (nose[1] < right_mouth[1])).all()

    larger = np.asarray(cv2.resize(crops[0], (2 * CROP, 2 * CROP), interpolation=cv2.INTER_CUBIC), np.uint8)
    mixed, _ = aligner.find([larger, crops[0]])
    np.testing.assert_allclose(mixed[0] / 2, mixed[1], atol=2)
    np.testing.assert_allclose(mixed[1], points[0], atol=0.01)
