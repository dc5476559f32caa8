"""Stores to test with: in memory, in a folder, and on a server that speaks S3."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from shared.settings import Settings
from shared.storage.store import Store, open_store
from tests.s3 import new_bucket

KINDS = ("memory", "file", "s3")


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty store of each kind."""
    if request.param == "s3":
        yield f"{new_bucket(request.getfixturevalue('s3'))}/of/ours"
    elif request.param == "file":
        yield f"file://{tmp_path}/store"
    else:
        yield "memory://store"
        MemoryFileSystem.store.clear()
        MemoryFileSystem.pseudo_dirs[:] = [""]


@pytest.fixture
def here(url: str, tmp_path: Path) -> Settings:
    """Settings of a host with this store."""
    return Settings(home=tmp_path / "here", store=url, stable_s=0, store_poll_s=0.02)


@pytest.fixture
def there(here: Settings, tmp_path: Path) -> Settings:
    """Settings of another host with the same store."""
    return here.model_copy(update={"home": tmp_path / "there"})


@pytest.fixture
def store(here: Settings) -> Store:
    """The store itself."""
    opened = open_store(here)
    assert opened is not None
    return opened
