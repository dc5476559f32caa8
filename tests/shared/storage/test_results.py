"""Results that one host publishes and others read: whole or not at all."""

import json
import threading
from pathlib import Path

import pytest

from shared.people import PEOPLE
from shared.settings import Settings
from shared.storage import results, trees
from shared.storage.mirror import mirroring, pull
from shared.storage.store import Store, StoreError

NAME = "film-0123"


def _write(folder: Path, **files: str) -> Path:
    for name, content in {"summary": "{}", **files}.items():
        path = folder / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return folder


def test_what_one_host_publishes_another_reads(there: Settings, store: Store, tmp_path: Path) -> None:
    results.publish(store, _write(tmp_path / "staged", **{"thumbnails/1": "picture"}), NAME)
    pull(there, with_results=True)
    folder = there.results / NAME
    assert results.is_published(there, folder)
    assert (folder / "thumbnails" / "1.json").read_text() == "picture"
    changed = (folder / "summary.json").stat()
    pull(there, with_results=True)
    assert (folder / "summary.json").stat() == changed


def test_a_new_run_replaces_all_but_what_people_said(
    here: Settings, there: Settings, store: Store, tmp_path: Path
) -> None:
    results.publish(store, _write(tmp_path / "one", old="old"), NAME)
    pull(here, with_results=True)
    (here.results / NAME / PEOPLE).write_text("names")
    results.share(here, here.results / NAME / PEOPLE)
    results.publish(store, _write(tmp_path / "two", new="new", people="of the run"), NAME)
    pull(there, with_results=True)
    found = {path.name: path.read_text() for path in (there.results / NAME).iterdir()}
    assert found == {"summary.json": "{}", "new.json": "new", PEOPLE: "names"}


@pytest.mark.parametrize("puts", [0, 1, 2])
def test_a_kill_in_the_middle_leaves_nothing_for_readers(
    there: Settings, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, puts: int
) -> None:
    results.publish(store, _write(tmp_path / "one", a="1", b="1"), NAME)
    staged, real, left = _write(tmp_path / "two", a="2", b="2"), Store.put, iter(range(puts))

    def put(store: Store, source: Path, key: str) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt
        real(store, source, key)

    with monkeypatch.context() as patched:
        patched.setattr(Store, "put", put)
        with pytest.raises(KeyboardInterrupt):
            results.publish(store, staged, NAME)
    pull(there, with_results=True)
    assert not (there.results / NAME).exists()
    results.publish(store, staged, NAME)
    pull(there, with_results=True)
    assert (there.results / NAME / "a.json").read_text() == "2"


def test_what_changes_while_it_is_read_is_not_taken(
    there: Settings, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results.publish(store, _write(tmp_path / "staged"), NAME)
    real = Store.fetch

    def fetch(store: Store, key: str, target: Path) -> None:
        real(store, key, target)
        store.write(f"results/{NAME}/timeline.csv", b"new")

    monkeypatch.setattr(Store, "fetch", fetch)
    pull(there, with_results=True)
    assert not (there.results / NAME).exists()
    store.remove(f"results/{NAME}/timeline.csv")
    with pytest.raises(StoreError, match="changed while it was read"):
        trees.fetch(store, f"results/{NAME}", there.results / NAME, "summary.json", tmp_path)


def test_what_is_removed_is_gone_on_all_hosts_and_their_own_stays(
    here: Settings, there: Settings, store: Store, tmp_path: Path
) -> None:
    results.publish(store, _write(tmp_path / "staged"), NAME)
    own = _write(there.results / "own")
    pull(there, with_results=True)
    results.remove(here, here.results / NAME)
    assert not results.is_published(there, there.results / NAME)
    pull(there, with_results=True)
    assert [path.name for path in there.results.iterdir()] == ["own"]
    assert json.loads((own / "summary.json").read_text()) == {}
    assert store.items("results") == []


def test_a_home_is_kept_up_while_a_service_runs(
    there: Settings, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    came, refused = threading.Event(), threading.Event()
    real = trees.stamps

    def stamps(store: Store, parent: str, marker: str) -> dict[str, str]:
        if not refused.is_set():
            refused.set()
            raise StoreError("away")
        found = real(store, parent, marker)
        if (there.results / NAME).exists():
            came.set()
        return found

    monkeypatch.setattr(trees, "stamps", stamps)
    with mirroring(there, with_results=True):
        assert refused.wait(60)
        results.publish(store, _write(tmp_path / "staged"), NAME)
        assert came.wait(60)


def test_a_store_that_cannot_be_used_ends_the_service_at_its_start(
    s3: dict[str, str], tmp_path: Path
) -> None:
    settings = Settings(home=tmp_path, store="s3://nobody-s/folder")
    with pytest.raises(StoreError, match="nobody-s"), mirroring(settings):
        pass
