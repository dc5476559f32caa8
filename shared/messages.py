"""What travels on the streams: typed, versioned, MessagePack.

One schema version covers all messages. Decoding is strict (`msgspec`): a message of a newer version, or one
that does not fit its type and bounds, raises MessageError, so that a service can set it aside and go on.
"""

from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import Meta

from shared.errors import MessageError

VERSION: Final = 1

LARGEST: Final = 16 << 20
"""Bytes of the largest message that is read."""

_INT32: Final = 2**31 - 1
_PICTURE: Final = 4 << 20

Index = Annotated[int, Meta(ge=0, le=_INT32)]
Pixel = Annotated[int, Meta(ge=-_INT32, le=_INT32)]
Side = Annotated[int, Meta(ge=1, le=_INT32)]
Picture = Annotated[bytes, Meta(max_length=_PICTURE)]
Embedding = Annotated[bytes, Meta(max_length=1 << 16)]
Seconds = Annotated[float, Meta(ge=-1e9, le=1e9)]
UnixSeconds = Annotated[float, Meta(ge=0, le=1e11)]
Probabilities = Annotated[list[Annotated[float, Meta(ge=0, le=1)]], Meta(min_length=7, max_length=7)]


class Box(msgspec.Struct, frozen=True, array_like=True):
    """A rectangle in pixels of the upright frame: left, top, width, height."""

    x: Pixel
    y: Pixel
    w: Side
    h: Side


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where and when a face was seen: clip id, frame, presentation time, shot, face in frame, track."""

    clip: str
    frame: Index
    time_s: Seconds
    shot: Index
    face: Index
    track: Index
    box: Box


class Face(msgspec.Struct, frozen=True, kw_only=True):
    """Ingest → worker: one face. `crop` is a square JPEG; the detected box fills its centre.

    `margin` is the part of the box's side that the crop carries beyond the box on each side. `explain` asks
    for a Grad-CAM and for neighbours.
    """

    place: Place
    crop: Picture
    margin: Annotated[float, Meta(ge=0, le=1)]
    explain: bool


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker adds for an explained face.

    `embedding` is float16 [E], little-endian, L2-normalised; `cam` uint8 [cam_side, cam_side], row by row;
    `aligned` the aligned face as a JPEG.
    """

    embedding: Embedding
    cam: Annotated[bytes, Meta(max_length=64 * 64)]
    cam_side: Annotated[int, Meta(ge=1, le=64)]
    aligned: Picture


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """Worker → `results:{clip}`: what a face shows. `probabilities` in the order of `EMOTIONS`.

    `probabilities` is None, and `error` says why, when the face was given up.
    """

    place: Place
    model: str
    probabilities: Probabilities | None
    aligned: bool
    explanation: Explanation | None = None
    error: str | None = None


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """Worker → retrieval: an explained face's embedding, float16 [E], and the emotion predicted for it."""

    place: Place
    model: str
    emotion: str
    embedding: Embedding


class Neighbour(msgspec.Struct, frozen=True, kw_only=True):
    """One gallery face: its label, where it comes from (clip name or path), and its cosine similarity."""

    label: str
    source: str
    frame: Index | None
    time_s: Seconds | None
    similarity: Annotated[float, Meta(ge=-1, le=1)]


class Neighbours(msgspec.Struct, frozen=True, kw_only=True):
    """Retrieval → `neighbours:{clip}`: a face's nearest gallery faces, the most similar first.

    `agrees` tells whether most of them carry the predicted emotion; None without neighbours.
    """

    place: Place
    nearest: list[Neighbour]
    agrees: bool | None


class Frame(msgspec.Struct, frozen=True, array_like=True):
    """One decoded frame: 0-based index, presentation time, shot, number of faces."""

    frame: Index
    time_s: Seconds
    shot: Index
    faces: Index


class Frames(msgspec.Struct, frozen=True, kw_only=True):
    """Ingest → `frames:{clip}`: frames that were committed together.

    `decoded_s` says when each of them left the decoder, Unix seconds on ingest's clock; empty where nobody
    took note.
    """

    frames: list[Frame]
    decoded_s: list[UnixSeconds] = []


class Seen(msgspec.Struct, frozen=True, array_like=True):
    """A face in a preview: its track and its box."""

    track: Index
    box: Box


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """Ingest → `previews:{clip}`: a small picture of a frame, and the faces in it.

    `width` and `height` are those of the frame, in pixels, and so are the boxes; `picture` is a JPEG.
    """

    frame: Index
    time_s: Seconds
    width: Side
    height: Side
    picture: Picture
    faces: list[Seen]


Message = Face | Reading | Query | Neighbours | Frames | Preview
M = TypeVar("M", bound=Message)

_encoder = msgspec.msgpack.Encoder()


def encode(message: Message) -> bytes:
    """Encode a message with the schema version in front."""
    return bytes([VERSION]) + _encoder.encode(message)


def decode(kind: type[M], data: bytes) -> M:
    """Decode a message of the given type. Raises MessageError when it is newer, damaged or out of bounds."""
    if not data:
        raise MessageError("empty message")
    if len(data) > LARGEST:
        raise MessageError(f"message of {len(data)} bytes, more than {LARGEST}")
    if data[0] != VERSION:
        raise MessageError(f"message of schema version {data[0]}, this Reelmood reads version {VERSION}")
    try:
        return msgspec.msgpack.decode(memoryview(data)[1:], type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise MessageError(f"not a {kind.__name__.lower()} message: {error}") from None
