"""What every kind of store does alike, and what is said when one cannot be used."""

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from s3fs import S3FileSystem

from shared.errors import ReelmoodError
from shared.settings import Settings
from shared.storage.store import Store, StoreError, is_sound, open_store
from tests.s3 import new_bucket


def test_without_a_setting_there_is_none() -> None:
    assert open_store(Settings()) is None


def test_a_file_is_written_read_copied_and_deleted(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"content")
    store.put(file, "a/file")
    store.copy("a/file", "b/c/file")
    assert [item.key for item in store.items("b")] == ["b/c/file"]
    assert store.read("b/c/file") == b"content"
    store.fetch("b/c/file", tmp_path / "new" / "file")
    assert (tmp_path / "new" / "file").read_bytes() == b"content"
    store.remove("a/file")
    store.remove("a/file")
    assert (store.item("a/file"), store.items("a")) == (None, [])
    with pytest.raises(FileNotFoundError):
        store.read("a/file")


def test_of_two_that_create_a_file_one_does(store: Store) -> None:
    assert store.create("a", b"one")
    assert not store.create("a", b"two")
    assert store.read("a") == b"one"


def test_a_file_is_listed_with_its_size_and_another_tag_when_it_changes(store: Store) -> None:
    store.write("a/b", b"one")
    [before] = store.items("a")
    assert (before.size, store.item("a/b")) == (3, before)
    store.write("a/b", b"other")
    [after] = store.items("a")
    assert after.tag != before.tag
    assert after.modified_ns >= before.modified_ns > 1e18


def test_a_link_out_of_a_folder_is_no_file_of_the_store(tmp_path: Path) -> None:
    store = open_store(Settings(store=f"file://{tmp_path}/store"))
    assert store is not None
    store.write("incoming/clip.mp4", b"clip")
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "store" / "incoming" / "link.mp4").symlink_to(tmp_path / "secret")
    (tmp_path / "store" / "incoming" / "folder").symlink_to(tmp_path)
    assert [item.key for item in store.items("incoming")] == ["incoming/clip.mp4"]


@pytest.mark.parametrize(
    "key", ["incoming/../../x", "incoming//x", "incoming/a\N{RIGHT-TO-LEFT OVERRIDE}b", "incoming/a\\b"]
)
def test_a_name_that_leads_elsewhere_is_left_out(s3: dict[str, str], key: str) -> None:
    store = open_store(Settings(store=new_bucket(s3)))
    assert store is not None
    store.write(key, b"x")
    store.write("incoming/y", b"y")
    assert [item.key for item in store.items("incoming")] == ["incoming/y"]


@given(st.text())
def test_a_sound_key_stays_below_its_folder(key: str) -> None:
    if is_sound(key):
        assert (Path("/a/b") / key).resolve().is_relative_to("/a/b")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("data", "no URL"),
        ("s3://somebody:something@bucket/folder", "without user and password"),
        ("simplecache::s3://bucket", "no URL"),
        ("nowhere://x", "fsspec knows no nowhere://"),
        ("gs://bucket", "its fsspec package is missing"),
    ],
)
def test_what_is_no_store_is_one_line(url: str, reason: str) -> None:
    with pytest.raises(ReelmoodError, match=reason) as caught:
        open_store(Settings(store=url))
    assert "\n" not in str(caught.value)
    assert "something" not in str(caught.value)


def test_without_the_package_for_s3_its_name_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, "s3", raising=False)
    with pytest.raises(ReelmoodError, match=r"pip install 'reelmood\[s3\]'"):
        open_store(Settings(store="s3://bucket"))


def test_a_bucket_that_is_not_there_is_one_line(s3: dict[str, str]) -> None:
    store = open_store(Settings(store="s3://nobody-s/folder"))
    assert store is not None
    with pytest.raises(StoreError, match=r"^the store s3://nobody-s/folder: .*bucket does not exist$"):
        store.items("incoming")


def test_without_credentials_it_is_one_line_without_secrets(
    s3: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    S3FileSystem.clear_instance_cache()
    store = open_store(Settings(store="s3://locked/folder"))
    assert store is not None
    with pytest.raises(StoreError, match="credentials") as caught:
        store.items("incoming")
    S3FileSystem.clear_instance_cache()
    assert "\n" not in str(caught.value)
