"""Files move without loss, and never out of their folder."""

from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from shared.folders import content_digest, digest_of, is_candidate, move_clip, printable, write_whole


def _file(path: Path, text: str = "clip") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_file_keeps_its_name_and_sub_folder(tmp_path: Path) -> None:
    source = _file(tmp_path / "in" / "a.mp4")
    moved = move_clip(source, tmp_path / "done", "films/it's a \N{GRINNING FACE} day.mp4")
    assert moved == tmp_path / "done" / "films" / "it's a \N{GRINNING FACE} day.mp4"
    assert moved.read_text() == "clip"
    assert not source.exists()


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    moved = [move_clip(_file(tmp_path / "a.mp4", str(n)), tmp_path / "done", "a.mp4") for n in range(3)]
    assert [path.name for path in moved] == ["a.mp4", "a (2).mp4", "a (3).mp4"]
    assert [path.read_text() for path in moved] == ["0", "1", "2"]


@pytest.mark.parametrize(
    "name",
    [
        "../../evil.mp4",
        "/etc/evil.mp4",
        "..",
        ".",
        "/",
        "",
        "a/../../evil.mp4",
        "x" * 300 + ".mp4",
        "é" * 200,
    ],
)
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    done = tmp_path / "deep" / "done"
    moved = move_clip(_file(tmp_path / "a.mp4"), done, name)
    assert moved.resolve().is_relative_to(done.resolve())
    assert moved.read_text() == "clip"


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(name=st.text(max_size=300))
def test_any_name_at_all_is_safe(tmp_path: Path, name: str) -> None:
    done = tmp_path / "deep" / "done"
    moved = move_clip(_file(tmp_path / "a.mp4"), done, name)
    assert moved.resolve().is_relative_to(done.resolve())
    moved.with_name(f"{moved.name}.error.json").touch()


def test_a_link_in_the_folder_does_not_lead_out_of_it(tmp_path: Path) -> None:
    outside, done = tmp_path / "outside", tmp_path / "done"
    outside.mkdir()
    done.mkdir()
    (done / "films").symlink_to(outside)
    assert move_clip(_file(tmp_path / "a.mp4"), done, "films/a.mp4") == done / "a.mp4"
    assert list(outside.iterdir()) == []


def test_a_file_in_the_place_of_the_sub_folder_is_no_obstacle(tmp_path: Path) -> None:
    _file(tmp_path / "done" / "films")
    assert (
        move_clip(_file(tmp_path / "a.mp4"), tmp_path / "done", "films/a.mp4") == tmp_path / "done" / "a.mp4"
    )


def test_a_vanished_file_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        move_clip(tmp_path / "gone.mp4", tmp_path / "done", "gone.mp4")
    assert list((tmp_path / "done").iterdir()) == []


def test_what_may_be_a_clip(tmp_path: Path) -> None:
    root = tmp_path / "incoming"
    taken = [_file(root / name) for name in ("a.mp4", "films/b.mov", "no suffix", "films/deep/er/c.gif")]
    left = [_file(root / name) for name in (".a.mp4", ".cache/b.mp4", "a.mp4.part", "b.PART")]
    directory = root / "x.mp4"
    directory.mkdir()
    outside = _file(tmp_path / "outside" / "secret.mp4")
    link, linked_folder = root / "link.mp4", root / "folder"
    link.symlink_to(outside)
    linked_folder.symlink_to(outside.parent)
    assert all(is_candidate(path, root) for path in taken)
    assert not any(
        is_candidate(path, root)
        for path in [*left, directory, link, linked_folder / "secret.mp4", root / "-"]
    )


@given(st.text())
def test_a_printable_name_steers_nothing(name: str) -> None:
    shown = printable(name)
    assert len(shown) == len(name)
    assert not set(shown) & {"\n", "\r", "\x1b", "\x00", "\x7f", "\x9b", "\u202e"}
    shown.encode()


def test_emoji_stay_as_they_are() -> None:
    family = "\N{WOMAN}\N{ZERO WIDTH JOINER}\N{GIRL} in 'the' \"city\".mp4"
    assert printable(family) == family


@given(st.binary(max_size=100))
def test_the_digest_of_a_file_is_the_same_on_disk_and_in_memory(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("digest") / "clip"
    path.write_bytes(content)
    uploaded = BytesIO(content)
    uploaded.read()
    assert content_digest(path) == digest_of(uploaded) == f"{len(content)}-{content_digest(path)[-32:]}"


@pytest.mark.parametrize("name", ["a.json", "n" * 255])
def test_a_file_is_written_in_place_of_another(tmp_path: Path, name: str) -> None:
    for content in (b"one", b"two"):
        write_whole(tmp_path / name, content)
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {name: content}


def test_what_cannot_be_written_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        write_whole(tmp_path / "folder", b"one")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
