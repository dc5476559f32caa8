"""Messages survive the wire, and nothing else is taken for one."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import MessageError
from shared.messages import LARGEST, VERSION, Box, Face, Frame, Frames, Place, Reading, decode, encode

places = st.builds(
    Place,
    clip=st.text(max_size=40),
    frame=st.integers(0, 2**31 - 1),
    time_s=st.floats(-1e6, 1e6),
    shot=st.integers(0, 1000),
    face=st.integers(0, 100),
    track=st.integers(0, 10_000),
    box=st.builds(
        Box, st.integers(-50, 9000), st.integers(-50, 9000), st.integers(1, 9000), st.integers(1, 9000)
    ),
)
faces = st.builds(
    Face, place=places, crop=st.binary(max_size=300), margin=st.floats(0, 1), explain=st.booleans()
)


@given(faces)
def test_a_face_survives_the_wire(face: Face) -> None:
    assert decode(Face, encode(face)) == face


@given(st.binary(max_size=300))
def test_any_bytes_are_a_message_or_an_error(data: bytes) -> None:
    for kind in (Face, Frames, Reading):
        with contextlib.suppress(MessageError):
            decode(kind, data)


@given(faces, st.integers(0, 400))
def test_a_cut_message_is_an_error(face: Face, keep: int) -> None:
    data = encode(face)
    if keep < len(data):
        with pytest.raises(MessageError):
            decode(Face, data[:keep])


def test_a_newer_version_is_named() -> None:
    newer = bytes([VERSION + 1]) + encode(Frames(frames=[Frame(0, 0.0, 0, 0)]))[1:]
    with pytest.raises(MessageError, match=f"version {VERSION + 1}.*version {VERSION}"):
        decode(Frames, newer)


@pytest.mark.parametrize("probabilities", [[0.5] * 6, [0.5] * 8, [1.5] + [0.0] * 6])
def test_probabilities_out_of_bounds_are_refused(probabilities: list[float]) -> None:
    place = Place(clip="c", frame=0, time_s=0, shot=0, face=0, track=0, box=Box(0, 0, 1, 1))
    reading = Reading(place=place, model="m", probabilities=probabilities, aligned=True)
    with pytest.raises(MessageError):
        decode(Reading, encode(reading))


@pytest.mark.parametrize(
    "body",
    [
        b"\x81\xa5model\xa1\xff",
        b"\x81\xa1z" + b"\x91" * 100_000,
        b"\x81\xa6frames\xdd\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff",
        bytes(LARGEST),
    ],
    ids=["not UTF-8", "too deep", "a list without end", "a map without end", "too large"],
)
def test_what_no_message_can_be_is_an_error(body: bytes) -> None:
    for kind in (Face, Frames, Reading):
        with pytest.raises(MessageError):
            decode(kind, bytes([VERSION]) + body)


@pytest.mark.parametrize("number", [-1, 2**31, 2**63, 2**64 - 1])
def test_numbers_that_no_table_holds_are_refused(number: int) -> None:
    with pytest.raises(MessageError):
        decode(Frames, encode(Frames(frames=[Frame(number, 0.0, 0, 0)])))


@pytest.mark.parametrize("time_s", [float("nan"), float("inf"), 2e9])
def test_times_that_are_none_are_refused(time_s: float) -> None:
    with pytest.raises(MessageError):
        decode(Frames, encode(Frames(frames=[Frame(0, time_s, 0, 0)])))
