from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from services.recorder.annotate import annotate_clip
from shared.errors import ClipError
from shared.messages import Box
from tests.services.recorder.makers import SAD, make_video, place, reading, show_times, sound_of

EVEN = [index / 25 for index in range(12)]
UNEVEN = [0.0, 0.04, 0.2, 0.24, 0.9, 1.0]
MARK = Box(40, 40, 60, 60)


def frames_of(path: Path) -> list[np.ndarray]:
    with av.open(path) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


@pytest.mark.parametrize(
    "times", [EVEN, UNEVEN, [0.0], [0.5, 0.54, 0.7]], ids=["even", "uneven", "one", "late"]
)
def test_every_frame_at_its_own_time(tmp_path: Path, out: Path, times: list[float]) -> None:
    make_video(tmp_path / "clip.mp4", times)
    video = annotate_clip(tmp_path / "clip.mp4", out, [])
    assert video == out / "annotated.mp4"
    assert show_times(video) == pytest.approx(times, abs=1e-4)


def test_a_clip_that_starts_late_in_the_day_starts_at_once(tmp_path: Path, out: Path) -> None:
    make_video(tmp_path / "clip.ts", [3600 + time_s for time_s in UNEVEN])
    times = show_times(annotate_clip(tmp_path / "clip.ts", out, []))
    assert times[0] < 1
    assert np.diff(times) == pytest.approx(np.diff(UNEVEN), abs=1e-3)


def test_it_is_what_a_browser_plays(tmp_path: Path, out: Path) -> None:
    make_video(tmp_path / "clip.mkv", EVEN, size=(161, 121), pixels="yuv444p")
    path = annotate_clip(tmp_path / "clip.mkv", out, [])
    with av.open(path) as container:
        stream = container.streams.video[0]
        assert "mp4" in container.format.name
        assert stream.codec_context.name == "h264"
        assert (stream.codec_context.pix_fmt, stream.width, stream.height) == ("yuv420p", 162, 122)
    content = path.read_bytes()
    assert 0 < content.index(b"moov") < content.index(b"mdat")  # it plays before all of it has come


def test_a_face_is_drawn_on_its_own_frame_only(tmp_path: Path, out: Path) -> None:
    make_video(tmp_path / "clip.mp4", EVEN, size=(320, 240))
    video = annotate_clip(tmp_path / "clip.mp4", out, [reading(place(4, box=MARK), SAD)])
    before, after = frames_of(tmp_path / "clip.mp4"), frames_of(video)
    changed = [
        int((np.abs(a.astype(int) - b.astype(int)) > 60).sum()) for a, b in zip(before, after, strict=True)
    ]
    assert changed[4] > 500
    assert sum(changed) == changed[4]


@pytest.mark.parametrize(
    ("file", "sound", "kept"),
    [
        ("clip.mp4", "aac", "aac"),
        ("clip.mkv", "flac", "flac"),
        ("clip.avi", "pcm_s16le", "aac"),
        ("clip.ts", "ac3", "aac"),
        ("clip.ts", "aac", "aac"),
        ("clip.avi", "libmp3lame", "mp3float"),
    ],
)
def test_the_sound_comes_along(tmp_path: Path, out: Path, file: str, sound: str, kept: str) -> None:
    make_video(tmp_path / file, EVEN, sound=sound, rate=48_000)
    before, after = sound_of(tmp_path / file), sound_of(annotate_clip(tmp_path / file, out, []))
    assert before is not None
    assert after is not None
    assert after[0] == kept
    assert after[1] == pytest.approx(before[1], abs=0.15)


def test_a_silent_clip_stays_silent(tmp_path: Path, out: Path) -> None:
    make_video(tmp_path / "clip.mp4", EVEN)
    assert sound_of(annotate_clip(tmp_path / "clip.mp4", out, [])) is None


def test_a_picture_stays_a_picture(tmp_path: Path, out: Path) -> None:
    cv2.imwrite(str(tmp_path / "still.png"), np.full((240, 320, 3), 90, np.uint8))
    picture = annotate_clip(tmp_path / "still.png", out, [reading(place(0, box=MARK))])
    assert picture == out / "annotated.png"
    assert np.any(cv2.imread(str(picture)) != 90)


@pytest.mark.parametrize("content", [None, b"", b"no video at all" * 100])
def test_what_cannot_be_decoded_is_told_in_one_line(tmp_path: Path, out: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "clip.mp4").write_bytes(content)
    with pytest.raises(ClipError) as caught:
        annotate_clip(tmp_path / "clip.mp4", out, [])
    assert "\n" not in str(caught.value)


@pytest.mark.shared
@pytest.mark.parametrize(
    "name",
    [
        "one_face_smile_640x360.mp4",
        "variable_frame_rate.mp4",
        "odd_319x241_yuv444.mp4",
        "group_5_frames_270x480.mp4",
    ],
)
def test_real_clips(clips_dir: Path, out: Path, name: str) -> None:
    video = annotate_clip(clips_dir / name, out, [reading(place(2, box=MARK))])
    assert show_times(video) == pytest.approx(show_times(clips_dir / name), abs=1e-3)
    before, after = sound_of(clips_dir / name), sound_of(video)
    assert (before is None) == (after is None)
    if before and after:
        assert after[1] == pytest.approx(before[1], abs=0.1)


@pytest.mark.shared
def test_a_rotation_flag_is_honoured(clips_dir: Path, out: Path) -> None:
    with av.open(annotate_clip(clips_dir / "rotate90_flag.mp4", out, [])) as container:
        frame = next(container.decode(video=0))
        assert (frame.width, frame.height, frame.rotation) == (360, 640, 0)


@pytest.mark.shared
def test_what_is_left_of_a_truncated_clip(clips_dir: Path, out: Path) -> None:
    video = annotate_clip(clips_dir / "truncated_after_moov.mp4", out, [])
    assert len(show_times(video)) == 229
    assert sound_of(video) is not None


def test_it_ends_with_the_frames_that_were_analysed(tmp_path: Path, out: Path) -> None:
    make_video(tmp_path / "clip.mp4", EVEN)
    video = annotate_clip(tmp_path / "clip.mp4", out, [], frames=5)
    assert show_times(video) == pytest.approx(EVEN[:5], abs=1e-4)
