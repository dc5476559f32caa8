"""Every frame of every kind of clip, and one clear line for what is none."""

import random
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from shared.errors import ClipError
from shared.faces.detection import Image
from shared.video import DecodedFrame, Footage, open_clip
from tests.clips import cut_in_half, draw, walk, write_clip, write_huge_header, write_picture, write_sound

FASTSTART = {"movflags": "faststart"}


def _decode(path: Path, start: int = 0) -> tuple[Footage, list[DecodedFrame]]:
    with open_clip(path, start) as footage:
        return footage, list(footage.frames)


def _blurred(image: Image) -> npt.NDArray[np.float64]:
    """Return the image without a palette's dither."""
    return np.asarray(cv2.blur(image, (9, 9)), np.float64)


def _reason(path: Path) -> str:
    with pytest.raises(ClipError) as caught, open_clip(path):
        pass
    reason = str(caught.value)
    assert "\n" not in reason
    return reason


@pytest.mark.parametrize(
    ("suffix", "codec", "pixels"),
    [
        ("mp4", "libx264", "yuv420p"),
        ("mov", "libx264", "yuv444p"),
        ("mkv", "libx264", "yuv420p"),
        ("ts", "libx264", "yuv420p"),
        ("avi", "mpeg4", "yuv420p"),
        ("webm", "libvpx", "yuv420p"),
        ("gif", "gif", "rgb8"),
    ],
)
def test_every_container_gives_every_frame(tmp_path: Path, suffix: str, codec: str, pixels: str) -> None:
    drawn = walk(12)
    path = write_clip(tmp_path / f"a.{suffix}", drawn, codec=codec, pixels=pixels)
    footage, frames = _decode(path)
    assert (footage.width, footage.height, footage.warnings) == (160, 120, [])
    assert [frame.index for frame in frames] == list(range(12))
    assert np.diff([frame.time_s for frame in frames]) == pytest.approx([0.04] * 11, abs=0.002)
    for frame, image in zip(frames, drawn, strict=True):
        assert frame.image.shape == (120, 160, 3)
        assert np.abs(_blurred(frame.image) - _blurred(image)).mean() < 12


def test_times_are_those_of_presentation_not_of_a_rate(tmp_path: Path) -> None:
    times = [0.5, 0.52, 0.75, 0.76, 2.0]
    _, frames = _decode(write_clip(tmp_path / "vfr.mkv", walk(5), times_s=times))
    assert [frame.time_s for frame in frames] == pytest.approx(times, abs=0.001)


def test_a_stream_without_times_goes_by_its_rate(tmp_path: Path) -> None:
    _, frames = _decode(write_clip(tmp_path / "raw.h264", walk(6)))
    assert len(frames) == 6
    assert np.diff([frame.time_s for frame in frames]) == pytest.approx([0.04] * 5)


@pytest.mark.parametrize("start", [0, 1, 7, 11, 12, 40])
def test_another_start_gives_the_same_frames(tmp_path: Path, start: int) -> None:
    path = write_clip(tmp_path / "a.mp4", walk(12), options={"bf": "2", "preset": "medium"})
    _, everything = _decode(path)
    _, rest = _decode(path, start)
    assert [(f.index, f.time_s) for f in rest] == [(f.index, f.time_s) for f in everything[start:]]
    assert all(
        np.array_equal(one.image, other.image) for one, other in zip(rest, everything[start:], strict=True)
    )


@pytest.mark.parametrize("codec", ["ffv1", "png", "gif"])
def test_a_frame_of_one_pixel(tmp_path: Path, codec: str) -> None:
    pixels, suffix = {"ffv1": ("bgr0", "mkv"), "png": ("rgb24", "mov"), "gif": ("rgb8", "gif")}[codec]
    dot = np.zeros((1, 1, 3), np.uint8)
    footage, frames = _decode(write_clip(tmp_path / f"dot.{suffix}", [dot], codec=codec, pixels=pixels))
    assert (footage.width, footage.height, len(frames)) == (1, 1, 1)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "bmp", "tiff"])
def test_a_picture_is_a_clip_of_one_frame(tmp_path: Path, suffix: str) -> None:
    image = draw((80, 60, 60))
    footage, frames = _decode(write_picture(tmp_path / f"a.{suffix}", image))
    assert (footage.frames_expected, [(f.index, f.time_s) for f in frames]) == (1, [(0, 0.0)])
    assert np.abs(frames[0].image.astype(int) - image).mean() < 5


def test_a_picture_loses_its_transparency(tmp_path: Path) -> None:
    image = np.full((40, 50, 4), (10, 20, 30, 128), np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), image)
    _, frames = _decode(tmp_path / "a.png")
    assert np.array_equal(frames[0].image, np.full((40, 50, 3), (30, 20, 10)))


def test_frames_that_change_their_size_keep_the_first_ones(tmp_path: Path) -> None:
    one = write_clip(tmp_path / "1.h264", walk(5))
    other = write_clip(tmp_path / "2.h264", [draw((40, 30, 40), width=80, height=60)] * 5)
    (tmp_path / "both.h264").write_bytes(one.read_bytes() + other.read_bytes())
    footage, frames = _decode(tmp_path / "both.h264")
    assert [frame.image.shape for frame in frames] == [(120, 160, 3)] * 10
    assert footage.warnings == ["its frame size changes; all frames are shown as 160 × 120"]


def test_a_clip_that_was_cut_off_gives_what_is_there_and_says_so(tmp_path: Path) -> None:
    whole = write_clip(tmp_path / "a.mp4", walk(40), container_options=FASTSTART)
    footage, frames = _decode(cut_in_half(whole, tmp_path / "half.mp4"))
    assert 5 < len(frames) < 35
    assert f"the header promises 40 frames, {len(frames)} could be decoded" in footage.warnings


def test_a_cut_off_clip_whose_header_counts_no_frames_says_so_too(tmp_path: Path) -> None:
    whole = write_clip(tmp_path / "a.mkv", walk(60), options={"g": "5"})
    footage, frames = _decode(cut_in_half(whole, tmp_path / "half.mkv"))
    assert 5 < len(frames) < 50
    assert any(warning.startswith("the header promises 2.4 s") for warning in footage.warnings)


def test_damage_in_the_middle_is_skipped(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", walk(60), container_options=FASTSTART, options={"g": "10"})
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + len(data) // 20] = random.Random(1).randbytes(len(data) // 20)
    path.write_bytes(data)
    footage, frames = _decode(path)
    assert 40 < len(frames) < 60
    assert frames[-1].time_s == pytest.approx(59 / 25)
    assert any(warning.startswith("damaged packets, skipped: ") for warning in footage.warnings)


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()
    assert _reason(tmp_path / "a.mp4") == "the file is empty"


@pytest.mark.parametrize("suffix", ["mp4", "txt", "nfo", "gif"])
def test_text_is_not_a_video_whatever_its_name(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    path.write_text("dear diary\n" * 100)
    assert _reason(path) == "not a video"


def test_sound_alone(tmp_path: Path) -> None:
    assert _reason(write_sound(tmp_path / "a.mp4")) == "it has no video stream"


def test_a_recording_without_its_header(tmp_path: Path) -> None:
    path = cut_in_half(write_clip(tmp_path / "a.mp4", walk(20)), tmp_path / "half.mp4")
    assert _reason(path).startswith("its header (moov) is missing")


@pytest.mark.parametrize("side", [11_000, 30_000])
def test_a_header_that_promises_too_many_pixels(tmp_path: Path, side: int) -> None:
    assert "100 megapixels" in _reason(write_huge_header(tmp_path / "a.png", side))


@pytest.mark.parametrize("suffix", ["mp4", "m3u8", "ffconcat"])
@pytest.mark.parametrize(
    "playlist",
    [
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{clip}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile {clip}\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"
        "a=rtpmap:96 H264/90000\n",
    ],
)
def test_a_playlist_opens_no_other_file(tmp_path: Path, suffix: str, playlist: str) -> None:
    write_clip(tmp_path / "other.mp4", walk(3))
    path = tmp_path / f"a.{suffix}"
    path.write_text(playlist.format(clip="other.mp4"))
    assert _reason(path) in ("not a video", "this kind of file is not a video")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), open_clip(tmp_path / "gone.mp4"):
        pass


@pytest.mark.shared
def test_a_rotated_clip_is_upright_as_opencv_shows_it(clips_dir: Path) -> None:
    path = clips_dir / "rotate90_flag.mp4"
    footage, frames = _decode(path)
    _, expected = cv2.VideoCapture(str(path)).read()
    assert (footage.width, footage.height) == (360, 640)
    assert np.array_equal(frames[0].image, expected[..., ::-1])


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("face_then_none_hevc.mov", 169),
        ("many_faces_cuts_640x360.mp4", 275),
        ("no_face_960x540.mp4", 95),
        ("odd_319x241_yuv444.mp4", 72),
        ("one_frame.mp4", 1),
        ("sign_language_640x480.mkv", 65),
        ("three_faces_walking.gif", 41),
        ("variable_frame_rate.mp4", 31),
        ("vp9.webm", 120),
    ],
)
def test_the_frames_of_real_clips(clips_dir: Path, name: str, count: int) -> None:
    footage, frames = _decode(clips_dir / name)
    assert len(frames) == count
    assert footage.warnings == []


@pytest.mark.shared
def test_half_a_real_clip(clips_dir: Path) -> None:
    footage, frames = _decode(clips_dir / "truncated_after_moov.mp4")
    assert len(frames) == 229
    assert footage.warnings == ["the header promises 472 frames, 229 could be decoded"]


def test_metadata_in_another_encoding_is_no_hindrance(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mkv", walk(3), container_options={})
    data = path.read_bytes()
    assert b"Lavf" in data
    path.write_bytes(data.replace(b"Lavf", b"\xe9\xff\xfef"))
    _, frames = _decode(path)
    assert len(frames) == 3


def test_times_that_cannot_be_are_none(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mkv", walk(4), times_s=[0.0, 0.04, 3e8, 3e8 + 0.04])
    _, frames = _decode(path)
    assert [frame.time_s for frame in frames] == pytest.approx([0.0, 0.04, 0.08, 0.12], abs=0.01)


def test_a_picture_of_too_many_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.video._LARGEST_PICTURE", 1000)
    path = write_picture(tmp_path / "a.png", draw((80, 60, 60)))
    assert _reason(path) == "a picture of more than 512 MB"
