"""The same content under the same settings is the same clip."""

from pathlib import Path

import pytest

from services.ingest.identity import clip_id
from shared.folders import content_digest
from shared.settings import Settings


def test_neither_name_nor_place_counts(tmp_path: Path) -> None:
    one, other = tmp_path / "a.mp4", tmp_path / "b.mov"
    one.write_bytes(b"content")
    other.write_bytes(b"content")
    assert content_digest(one) == content_digest(other)
    key = clip_id(content_digest(one), Settings())
    assert key == clip_id(content_digest(other), Settings(home=tmp_path))
    assert len(bytes.fromhex(key)) == 16


@pytest.mark.parametrize(
    "changed",
    [
        {"model": "large"},
        {"min_face_fraction": 0.1},
        {"search_every_s": 0},
        {"crop_margin": 0.3},
        {"crop_size": 112},
        {"jpeg_quality": 90},
        {"explain_every_s": 0},
        {"neighbours": 3},
        {"max_frames": 100},
    ],
)
def test_another_model_or_other_faces_are_another_run(changed: dict[str, float | str]) -> None:
    assert clip_id("7-ab", Settings()) != clip_id("7-ab", Settings().model_copy(update=changed))


def test_every_byte_counts(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    ids = set()
    for last in (b"", b"\0", b"\1"):
        path.write_bytes(bytes(3 << 20) + last)
        ids.add(clip_id(content_digest(path), Settings()))
    assert len(ids) == 3
