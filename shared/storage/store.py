"""The store: a folder at an fsspec URL that hosts without a common disk share, laid out as a home."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from io import BufferedIOBase
from pathlib import Path, PurePosixPath
from typing import Any, Final, cast
from urllib.parse import urlsplit

from fsspec import AbstractFileSystem
from fsspec.core import url_to_fs

from shared.errors import ReelmoodError
from shared.folders import digest_of, printable
from shared.settings import Settings

_NS: Final = 1_000_000_000


class StoreError(ReelmoodError, OSError):
    """The store cannot be used now: it does not answer, or lets nobody in."""


@dataclass(frozen=True)
class Item:
    """A file in the store.

    `key` is its path below the store's root, `size` in bytes, `modified_ns` in Unix nanoseconds, as exact as
    the store tells it; `tag` is another one when the content is.
    """

    key: str
    size: int
    modified_ns: int
    tag: str


@dataclass(frozen=True)
class Store:
    """An open store; `root` is its folder in `files`, `url` is for people.

    Every method raises StoreError when the store does not answer or refuses, and FileNotFoundError when the
    file is not there.
    """

    files: AbstractFileSystem
    root: str
    url: str

    def items(self, folder: str) -> list[Item]:
        """Return the files below a folder, in order; none when it is not there.

        What is called in a way that no file of ours is (`is_sound`), and symbolic links, are left out.
        """
        with self._asked():
            try:
                found = self.files.find(self._at(folder), detail=True)
            except FileNotFoundError as error:
                raise StoreError(f"the store {self.url}: {_first_line(error)}") from None
        start = len(self._at(folder)) - len(folder)
        return [
            _item(path[start:], info)
            for path, info in sorted(found.items())
            if info.get("type") == "file" and not info.get("islink") and is_sound(path[start:])
        ]

    def item(self, key: str) -> Item | None:
        """Return a file, None when it is not there."""
        with self._asked():
            try:
                info = self.files.info(self._at(key))
            except FileNotFoundError:
                return None
        return _item(key, info) if info.get("type") == "file" else None

    def read(self, key: str) -> bytes:
        """Return the content of a file."""
        with self._asked():
            return cast("bytes", self.files.cat_file(self._at(key)))

    def digest(self, key: str) -> str:
        """Return the `content_digest` of a file, which is read in parts."""
        with self._asked(), self.files.open(self._at(key), "rb") as file:
            return digest_of(cast("BufferedIOBase", file))

    def create(self, key: str, content: bytes) -> bool:
        """Write a new file, unless there is one of this name: then return False.

        On S3 this is a conditional write (`If-None-Match`).
        """
        with self._asked():
            try:
                self.files.pipe_file(self._at(key), content, mode="create")
            except FileExistsError:
                return False
            return True

    def write(self, key: str, content: bytes) -> None:
        """Write a file, in place of one that is there."""
        with self._asked():
            self.files.pipe_file(self._at(key), content)

    def put(self, source: Path, key: str) -> None:
        """Copy a file of this host into the store, in place of one that is there."""
        with self._asked():
            self.files.put_file(str(source), self._at(key))

    def fetch(self, key: str, target: Path) -> None:
        """Copy a file of the store to this host."""
        with self._asked():
            target.parent.mkdir(parents=True, exist_ok=True)
            self.files.get_file(self._at(key), str(target))

    def copy(self, key: str, target: str) -> None:
        """Copy a file within the store, in place of one that is there."""
        with self._asked():
            self.files.copy(self._at(key), self._at(target))

    def remove(self, key: str) -> None:
        """Delete a file; that it is gone already is no error."""
        with self._asked():
            try:
                self.files.rm_file(self._at(key))
            except FileNotFoundError:
                return

    def address(self, key: str) -> str:
        """Return the URL of a file, for people."""
        return f"{self.url}/{key}"

    def _at(self, key: str) -> str:
        return f"{self.root}/{key}"

    @contextmanager
    def _asked(self) -> Iterator[None]:
        try:
            yield
        except (FileNotFoundError, StoreError):
            raise
        except Exception as error:  # noqa: BLE001 - what the libraries raise has nothing else in common
            raise StoreError(f"the store {self.url} cannot be used: {_first_line(error)}") from None


def open_store(settings: Settings) -> Store | None:
    """Return the store of the settings, None without one. It is not asked yet.

    Credentials come from where the URL's library looks for them, as the usual AWS variables, never from the
    URL. Raises ReelmoodError when the URL is none, or the package for it is missing.
    """
    url = settings.store.rstrip("/")
    if not url:
        return None
    parts = urlsplit(url)
    if "://" not in url or "::" in url or "@" in parts.netloc or parts.query or parts.fragment:
        raise ReelmoodError("REELMOOD_STORE is no URL such as s3://bucket/folder, without user and password")
    # Lists are never kept: what other hosts have written has to be seen.
    options = {"auto_mkdir": True} if parts.scheme == "file" else {"use_listings_cache": False}
    try:
        files, root = url_to_fs(url, **options)
    except ImportError:
        extra = "pip install 'reelmood[s3]'" if parts.scheme == "s3" else "its fsspec package is missing"
        raise ReelmoodError(f"REELMOOD_STORE: {parts.scheme}:// cannot be used: {extra}") from None
    except ValueError:
        raise ReelmoodError(f"REELMOOD_STORE: fsspec knows no {printable(parts.scheme)}://") from None
    return Store(files, root.rstrip("/"), url)


def is_sound(key: str) -> bool:
    """Tell whether a key can be a file's path below a folder of a home, and leads nowhere else."""
    parts = key.split("/")
    return all(part not in ("", ".", "..") and "\\" not in part for part in parts) and (
        key == printable(key) and not PurePosixPath(key).is_absolute()
    )


def _item(key: str, info: dict[str, Any]) -> Item:
    modified = info.get("LastModified") or info.get("mtime") or info.get("modified") or info.get("created")
    seconds = modified.timestamp() if isinstance(modified, datetime) else float(modified or 0)
    size, modified_ns = int(info["size"]), round(seconds * _NS)
    return Item(key, size, modified_ns, str(info.get("ETag") or f"{size}-{modified_ns}"))


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
