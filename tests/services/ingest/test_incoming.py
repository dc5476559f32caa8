"""What lies in the folder, and since when."""

import os
import sys
from pathlib import Path

from services.ingest.incoming import look


def test_a_file_counts_from_when_it_stopped_changing(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"1")
    first = look(tmp_path, {}, 1.0).files
    path.write_bytes(b"12")
    second = look(tmp_path, first, 2.0).files
    third = look(tmp_path, second, 3.0).files
    assert [seen[path].since_s for seen in (first, second, third)] == [1.0, 2.0, 2.0]


def test_a_touched_file_counts_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"1")
    first = look(tmp_path, {}, 1.0).files
    os.utime(path, ns=(1, 1))
    assert look(tmp_path, first, 2.0).files[path].since_s == 2.0


def test_links_are_told_apart_and_not_followed(tmp_path: Path) -> None:
    outside, root = tmp_path / "outside", tmp_path / "incoming"
    (outside / "deep").mkdir(parents=True)
    (outside / "deep" / "secret.mp4").write_bytes(b"1")
    (root / "films").mkdir(parents=True)
    (root / "films" / "link.mp4").symlink_to(outside / "deep" / "secret.mp4")
    (root / "folder").symlink_to(outside)
    (root / "loop").symlink_to(root)
    seen = look(root, {}, 1.0)
    assert seen.files == {}
    assert seen.links == {root / "films" / "link.mp4", root / "folder", root / "loop"}


def test_a_folder_with_the_name_of_a_clip_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "x.mp4").mkdir()
    (tmp_path / "x.mp4" / "inner.mp4").write_bytes(b"1")
    assert list(look(tmp_path, {}, 1.0).files) == [tmp_path / "x.mp4" / "inner.mp4"]


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert look(tmp_path / "gone", {}, 1.0).files == {}


def test_folders_within_folders_deeper_than_calls_can_be_are_looked_through(tmp_path: Path) -> None:
    depth = sys.getrecursionlimit() + 200
    deepest = tmp_path.joinpath(*["d"] * depth)
    for number in range(1, depth + 1):
        tmp_path.joinpath(*["d"] * number).mkdir()
    (deepest / "a.mp4").write_bytes(b"1")
    assert list(look(tmp_path, {}, 1.0).files) == [deepest / "a.mp4"]
    (deepest / "a.mp4").unlink()  # pytest's own clean-up calls itself for each level
    for number in range(depth, 0, -1):
        tmp_path.joinpath(*["d"] * number).rmdir()


def test_files_come_in_order_those_of_sub_folders_last(tmp_path: Path) -> None:
    for name in ("b.mp4", "a.mp4", "z/2.mp4", "c/3.mp4", "c/1.mp4", ".hidden/a.mp4", "x.PART"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"1")
    names = [path.relative_to(tmp_path).as_posix() for path in look(tmp_path, {}, 1.0).files]
    assert names == ["a.mp4", "b.mp4", "c/1.mp4", "c/3.mp4", "z/2.mp4"]
