"""Clips in the store: they arrive, are fetched, and are moved once, wherever a move was cut off."""

from pathlib import Path

import pytest

from shared.errors import ClipError
from shared.folders import content_digest
from shared.settings import Settings
from shared.storage import clips
from shared.storage.places import key_of, place, reference
from shared.storage.store import Store


def _keys(store: Store, folder: str) -> list[str]:
    return [item.key for item in store.items(folder)]


def _file(folder: Path, content: bytes = b"a clip") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "file.mp4"
    path.write_bytes(content)
    return path


def test_without_a_store_a_path_stays_absolute(tmp_path: Path) -> None:
    alone = Settings(home=tmp_path)
    told = reference(alone, alone.incoming / "a.mp4")
    assert (told, place(alone, told)) == (str(tmp_path / "incoming" / "a.mp4"), Path(told))


def test_a_path_means_the_same_file_to_each_host(here: Settings, there: Settings) -> None:
    told = reference(here, here.incoming / "films" / "a.mp4")
    assert told == "incoming/films/a.mp4"
    assert place(there, told) == there.incoming / "films" / "a.mp4"


@pytest.mark.parametrize("told", ["../../etc/passwd", "incoming/../../../etc/passwd", "cache/x", ""])
def test_the_broker_leads_nobody_out_of_the_store(here: Settings, told: str) -> None:
    path = place(here, told)
    assert path.is_relative_to(here.home)
    assert (key_of(here, path) or "incoming/").startswith("incoming/")


def test_what_is_handed_up_arrives_on_all_hosts(here: Settings, there: Settings, tmp_path: Path) -> None:
    file = _file(tmp_path)
    clips.hand_up(here, file, here.incoming, "films/a.mp4")
    [(path, (size, _))] = clips.arrived(there).items()
    assert (path, size, file.exists()) == (there.incoming / "films" / "a.mp4", 6, False)


def test_what_is_hidden_or_being_written_has_not_arrived(here: Settings, store: Store) -> None:
    for name in (".a.mp4", "a.mp4.part", ".films/a.mp4", "b.mp4"):
        store.write(f"incoming/{name}", b"x")
    assert list(clips.arrived(here)) == [here.incoming / "b.mp4"]


def test_a_name_that_is_taken_for_a_file_on_its_way_has_not_arrived(
    here: Settings, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def slow(store: Store, source: Path, key: str) -> None:
        seen.append((key, clips.arrived(here)))
        real(store, source, key)

    real = Store.put
    monkeypatch.setattr(Store, "put", slow)
    clips.hand_up(here, _file(tmp_path), here.incoming, "a.mp4")
    assert seen == [("incoming/a.mp4", {})]
    assert list(clips.arrived(here)) == [here.incoming / "a.mp4"]


def test_two_files_of_one_name_are_both_kept(here: Settings, there: Settings, tmp_path: Path) -> None:
    clips.hand_up(here, _file(tmp_path, b"one"), here.incoming, "a.mp4")
    clips.hand_up(there, _file(tmp_path, b"two"), there.incoming, "a.mp4")
    clips.hand_up(there, _file(tmp_path, b"two"), there.incoming, "a.mp4")
    names = {path.name: size for path, (size, _) in clips.arrived(here).items()}
    assert names == {"a.mp4": 3, "a (2).mp4": 3}


def test_a_copy_is_fetched_once_checked_and_let_go(here: Settings, store: Store) -> None:
    store.write("incoming/a.mp4", b"a clip")
    path = here.incoming / "a.mp4"
    content = clips.digest(here, path)
    with clips.at_hand(here, path, content) as file:
        assert (file.read_bytes(), content_digest(file), file.suffix) == (b"a clip", content, ".mp4")
    store.write("incoming/a.mp4", b"another clip")
    with clips.at_hand(here, path, content) as same:
        assert same == file
    clips.let_go(here, path, content)
    assert not file.exists()
    with pytest.raises(ClipError, match="not the one any more"), clips.at_hand(here, path, content):
        pass
    assert list(file.parent.iterdir()) == []


@pytest.mark.parametrize("content", ["", "../../x", "6-xyz"])
def test_a_digest_is_no_path(here: Settings, store: Store, content: str) -> None:
    store.write("incoming/a.mp4", b"a clip")
    with pytest.raises(ClipError), clips.at_hand(here, here.incoming / "a.mp4", content):
        pass


def test_a_clip_is_moved(here: Settings, store: Store) -> None:
    store.write("incoming/a.mp4", b"a clip")
    store.write("done/a.mp4", b"another")
    moved = clips.move(here, here.incoming / "a.mp4", here.done, "a.mp4")
    assert moved == here.done / "a (2).mp4"
    assert _keys(store, "incoming") == []
    assert store.read("done/a (2).mp4") == b"a clip"


@pytest.mark.parametrize("step", ["copy", "remove"])
def test_a_move_that_was_cut_off_is_finished_by_the_next(
    here: Settings, store: Store, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    store.write("incoming/a.mp4", b"a clip")
    content = clips.digest(here, here.incoming / "a.mp4")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Store, step, killed)
        with pytest.raises(KeyboardInterrupt):
            clips.move(here, here.incoming / "a.mp4", here.done, "a.mp4", content=content)
    moved = clips.move(here, here.incoming / "a.mp4", here.done, "a.mp4", content=content)
    assert moved == here.done / "a.mp4"
    assert (_keys(store, "incoming"), _keys(store, "done")) == ([], ["done/a.mp4"])
    assert store.read("done/a.mp4") == b"a clip"


def test_a_name_does_not_lead_out_of_its_folder(here: Settings, store: Store) -> None:
    store.write("incoming/a.mp4", b"a clip")
    moved = clips.move(here, here.incoming / "a.mp4", here.failed, "../../x/b.mp4", beside=".error.json")
    clips.write_beside(here, moved, ".error.json", b"{}")
    assert _keys(store, "failed") == ["failed/x/b.mp4", "failed/x/b.mp4.error.json"]
    assert clips.exists(here, moved)
