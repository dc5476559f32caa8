"""Clips that benchmarks make."""

from pathlib import Path

import av
import numpy as np
import pytest

from benchmarks.clips import cut_faces, loop_clip, read_frames, scale_clip
from shared.errors import ClipError
from shared.faces.detection import HaarDetector
from shared.video import open_clip
from tests.clips import draw, walk, write_clip


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five frames at uneven times."""
    times = (0.0, 0.04, 0.1, 0.2, 0.5)
    return write_clip(tmp_path_factory.mktemp("clip") / "walk.mp4", walk(5), times_s=times)


def test_a_scaled_clip_keeps_its_frames_and_their_times(clip: Path, tmp_path: Path) -> None:
    scaled = scale_clip(clip, tmp_path / "scaled.mp4", (320, 240))
    with open_clip(scaled) as footage:
        frames = list(footage.frames)
    assert [frame.time_s for frame in frames] == pytest.approx([0.0, 0.04, 0.1, 0.2, 0.5], abs=1e-3)
    assert {frame.image.shape for frame in frames} == {(240, 320, 3)}
    halved = frames[0].image.reshape(120, 2, 160, 2, 3).mean(axis=(1, 3))
    assert np.abs(halved - read_frames(clip, 1)[0]).mean() < 4


@pytest.mark.parametrize("frames", [3, 12])
def test_a_looped_clip_has_as_many_frames_as_asked_for(clip: Path, tmp_path: Path, frames: int) -> None:
    looped = read_frames(loop_clip(clip, tmp_path / "looped.mp4", frames))
    assert len(looped) == frames
    for number, image in enumerate(looped):
        assert np.abs(image.astype(float) - read_frames(clip)[number % 5]).mean() < 4
    with av.open(str(tmp_path / "looped.mp4")) as container:
        assert container.streams.video[0].codec_context.name == "h264"


def test_faces_are_cut_with_their_margin_and_black_outside_the_frame() -> None:
    frame = draw((80, 60, 64))
    (box,) = HaarDetector(0.3).detect(frame)
    (crop,) = cut_faces([frame], HaarDetector(0.3), margin=0.25, size=512)
    side = max(box.w, box.h)
    pad = round(side * 0.25)
    assert crop.shape == (side + 2 * pad, side + 2 * pad, 3)
    inside = crop[pad : pad + side, pad : pad + side]
    np.testing.assert_array_equal(inside, frame[box.y : box.y + side, box.x : box.x + side])
    (wide,) = cut_faces([frame], HaarDetector(0.3), margin=1.0, size=512)
    assert not wide[0].any()
    (small,) = cut_faces([frame], HaarDetector(0.3), margin=0.25, size=48)
    assert small.shape == (48, 48, 3)


def test_a_clip_without_a_face_is_refused() -> None:
    with pytest.raises(ClipError, match="no face"):
        cut_faces([draw()], HaarDetector(0.3), margin=0.25, size=160)
