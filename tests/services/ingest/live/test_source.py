from itertools import islice

import pytest

from services.ingest.live.source import SourceError, check, open_source, shown
from tests.clips import walk
from tests.services.ingest.live import rtsp
from tests.services.ingest.live.stream import Camera, jpegs, serving

ADDRESS = "rtsp://user:secret@cam.example:554/token/live?key=hidden"


@pytest.mark.parametrize("address", ["0", "12", ADDRESS, "http://[::1]:81/live", "HTTPS://cam.example"])
def test_a_number_or_a_stream_is_a_source(address: str) -> None:
    check(address)


@pytest.mark.parametrize(
    "address", ["", "-1", "clip.mp4", "/dev/sda", "file:///etc/passwd", "rtsp://", "http://h:99999/", "1²"]
)
def test_anything_else_is_refused_in_one_line(address: str) -> None:
    with pytest.raises(SourceError, match="a live source is"):
        check(address)


def test_what_is_shown_of_an_address_holds_no_secret() -> None:
    assert shown("0") == "camera 0"
    assert shown(ADDRESS) == "rtsp://cam.example:554"


def test_frames_come_as_they_were_sent() -> None:
    images = walk(8)
    with serving(Camera(jpegs(images))) as camera, open_source(camera.address) as frames:
        received = list(islice(frames, 8))
    assert [frame.shape for frame in received] == [image.shape for image in images]
    assert max(abs(float(a.mean()) - float(b.mean())) for a, b in zip(received, images, strict=True)) < 3


def test_a_camera_that_speaks_rtsp_is_a_source_like_any_other() -> None:
    images = walk(10)
    with rtsp.serving(images) as address, open_source(address) as frames:
        received = list(islice(frames, 12))
    assert {frame.shape for frame in received} == {(120, 160, 3)}
    assert abs(float(received[0].mean()) - float(images[0].mean())) < 3


def test_a_stream_that_ends_says_so() -> None:
    camera = Camera(jpegs(walk(4)), length=4)
    with serving(camera), open_source(camera.address) as frames, pytest.raises(SourceError):
        list(frames)


def test_a_password_opens_a_stream_and_stands_in_no_error() -> None:
    with serving(Camera(jpegs(walk(4)), authorization="Basic dXNlcjpzZWNyZXQ=")) as camera:
        inside = camera.address.replace("://", "://user:secret@")
        with open_source(inside) as frames:
            assert next(frames).shape == (120, 160, 3)
        wrong = camera.address.replace("://", "://user:wr0ng@")
        with (
            pytest.raises(SourceError, match="refuses the user or the password") as caught,
            open_source(wrong),
        ):
            pass
    assert "wr0ng" not in str(caught.value)


def test_nobody_there_is_one_line_without_the_address(port: int) -> None:
    for scheme in ("http", "rtsp"):
        address = f"{scheme}://user:secret@127.0.0.1:{port}/live"
        with pytest.raises(SourceError, match="connection refused") as caught, open_source(address):
            pass
        assert str(caught.value) == "connection refused"


def test_a_camera_that_is_not_there_says_so() -> None:
    with pytest.raises(SourceError, match="no such camera"), open_source("99"):
        pass
