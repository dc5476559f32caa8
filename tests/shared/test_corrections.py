import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import corrections
from shared.corrections import LABELS_FILE, NO_FACE, PICTURES, Correction
from shared.errors import DataError


def correction(label: str = "happy", clip: str = "clip-1", frame: int = 0, **changes: Any) -> Correction:
    known: dict[str, Any] = {
        "label": label,
        "predicted": "sad",
        "confidence": 0.4,
        "model": "nano@1",
        "clip": clip,
        "content": "12-00000000000000000000000000000000",
        "name": "évening.mp4",
        "frame": frame,
        "face": 0,
        "track": 3,
        "time_s": frame / 25,
        "decided_s": 1.0,
    }
    return Correction(**{**known, **changes})


def pictures(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / PICTURES).iterdir()}


def test_what_is_put_is_read_again_with_its_picture(tmp_path: Path) -> None:
    assert corrections.read(tmp_path / "absent") == []
    one, two = correction(), correction("fear", frame=5)
    corrections.put(tmp_path, {one: b"first"})
    corrections.put(tmp_path, {two: b"second"})
    assert corrections.read(tmp_path) == [one, two]
    assert pictures(tmp_path) == {one.picture: b"first", two.picture: b"second"}
    assert corrections.counts([one, two])["fear"] == 1


def test_what_is_no_face_is_kept_but_not_among_the_faces(tmp_path: Path) -> None:
    face, none = correction(), correction(NO_FACE, frame=1)
    corrections.put(tmp_path, {none: b"a hand", face: b"jpeg"})
    assert corrections.read(tmp_path) == [none, face]
    assert corrections.faces(corrections.read(tmp_path)) == [face]
    assert sum(corrections.counts([none, face]).values()) == 1


def test_a_second_look_at_a_face_replaces_the_first(tmp_path: Path) -> None:
    corrections.put(tmp_path, {correction(): b"jpeg", correction(frame=1): b"jpeg"})
    corrections.put(tmp_path, {correction("angry"): b"jpeg"})
    assert [one.label for one in corrections.read(tmp_path)] == ["angry", "happy"]


def test_what_is_withdrawn_leaves_nothing(tmp_path: Path) -> None:
    kept, gone = correction(), correction(frame=9)
    corrections.put(tmp_path, {kept: b"jpeg", gone: b"jpeg"})
    corrections.withdraw(tmp_path, [gone.picture])
    assert corrections.read(tmp_path) == [kept]
    assert list(pictures(tmp_path)) == [kept.picture]


def test_a_clip_is_forgotten_by_its_runs_or_its_content(tmp_path: Path) -> None:
    mine = [correction(clip="a"), correction(clip="b", content="")]
    other = correction(clip="c", content="")
    corrections.put(tmp_path, dict.fromkeys([*mine, other], b"jpeg"))
    corrections.forget(tmp_path, {"b"}, mine[0].content)
    assert corrections.read(tmp_path) == [other]
    assert list(pictures(tmp_path)) == [other.picture]
    corrections.forget(tmp_path / "absent", {"b"}, "")
    assert not (tmp_path / "absent").exists()


def test_pictures_that_a_kill_left_without_a_label_go_with_the_next_change(tmp_path: Path) -> None:
    corrections.put(tmp_path, {correction(): b"jpeg"})
    stray = tmp_path / PICTURES / corrections.picture_of("gone", 1, 0)
    stray.write_bytes(b"jpeg")
    stray.with_name(stray.name + ".part").write_bytes(b"jp")
    corrections.put(tmp_path, {correction("sad", frame=1): b"jpeg"})
    assert set(pictures(tmp_path)) == {one.picture for one in corrections.read(tmp_path)}


def test_two_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    def write(clip: str) -> None:
        for frame in range(10):
            corrections.put(tmp_path, {correction(clip=clip, frame=frame): b"jpeg"})

    threads = [threading.Thread(target=write, args=(clip,)) for clip in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(corrections.read(tmp_path)) == 20


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[]",
        b'{"label":"bored"}',
        b"\xff\xfe",
        msgspec.json.encode({**msgspec.to_builtins(correction()), "confidence": 2}),
    ],
)
def test_damaged_labels_are_one_clear_line_and_are_never_overwritten(tmp_path: Path, line: bytes) -> None:
    corrections.put(tmp_path, {correction(): b"jpeg"})
    with (tmp_path / LABELS_FILE).open("ab") as file:
        file.write(line + b"\n")
    before = (tmp_path / LABELS_FILE).read_bytes()
    for act in (corrections.read, lambda folder: corrections.put(folder, {correction(frame=1): b"jpeg"})):
        with pytest.raises(DataError, match=f"{LABELS_FILE}, line 2: ") as caught:
            act(tmp_path)
        assert "\n" not in str(caught.value)
    assert (tmp_path / LABELS_FILE).read_bytes() == before


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DataError, match="cannot be written"):
        corrections.put(tmp_path / "file", {correction(): b"jpeg"})


@given(st.binary(max_size=200))
def test_whatever_stands_in_the_labels_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    folder = tmp_path_factory.mktemp("corrections")
    (folder / LABELS_FILE).write_bytes(content)
    if content:
        with pytest.raises(DataError, match=r"^[^\n]*labels\.jsonl, line \d+: [^\n]*$"):
            corrections.read(folder)
    else:
        assert corrections.read(folder) == []
