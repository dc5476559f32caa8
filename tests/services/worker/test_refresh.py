"""Which engine reads the faces while models are promoted, taken back, damaged and mended."""

import logging
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from services.worker import refresh as module
from services.worker.device import DeviceFullError
from services.worker.engine import Timer, untimed
from services.worker.refresh import Refresh, refreshing
from shared.errors import ModelError
from shared.poster.active import ACTIVE_FILE, NOTHING_PROMOTED, Promotion, write_promotions
from shared.settings import Settings
from tests.services.worker.made import MadeEngine

A = Promotion(name="a", id="a@00000001")
B = Promotion(name="b", id="b@00000002")


@dataclass
class Shelf:
    """Stands for the models of the registry: what loading each comes to."""

    models: Path
    what: dict[str, str | Exception] = field(
        default_factory=lambda: {"nano": "nano@00000000", "a": "a@00000001", "b": "b@00000002"}
    )
    loaded: list[str] = field(default_factory=list)
    beats: int = 0

    def promote(self, *promotions: Promotion) -> None:
        write_promotions(self.models, [NOTHING_PROMOTED, *promotions])

    def beat(self) -> None:
        self.beats += 1

    def load(self, settings: Settings, _timed: Timer) -> MadeEngine:
        self.loaded.append(settings.model)
        found = self.what[settings.model]
        if isinstance(found, Exception):
            raise found
        engine = MadeEngine()
        engine.model = found
        return engine


@pytest.fixture
def shelf(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    for name in ("a", "b"):
        (settings.models / name).mkdir(parents=True)
        (settings.models / name / "config.json").touch()
    shelf = Shelf(settings.models)
    monkeypatch.setattr(module, "load_engine", shelf.load)
    return shelf


def _refresh(settings: Settings, shelf: Shelf) -> Refresh:
    return Refresh(settings, untimed, shelf.beat)


def test_nano_reads_while_nothing_is_promoted(settings: Settings, shelf: Shelf) -> None:
    refresh = _refresh(settings, shelf)
    refresh.look()
    assert (refresh.engine.model, refresh.note, shelf.loaded) == ("nano@00000000", "", ["nano"])


def test_promotions_are_followed_forth_and_back(settings: Settings, shelf: Shelf) -> None:
    shelf.promote(A)
    refresh, seen = _refresh(settings, shelf), []
    for promotions in ((A,), (A, B), (A, B), (A,), ()):
        shelf.promote(*promotions)
        refresh.look()
        seen.append(refresh.engine.model)
    assert seen == ["a@00000001", "b@00000002", "b@00000002", "a@00000001", "nano@00000000"]
    assert shelf.loaded == ["a", "b", "a", "nano"]


def test_the_model_in_use_is_not_loaded_again_when_it_is_promoted(settings: Settings, shelf: Shelf) -> None:
    refresh = _refresh(settings, shelf)
    shelf.promote(Promotion(name="nano", id="nano@00000000"))
    refresh.look()
    assert shelf.loaded == ["nano"]


def test_the_same_weights_under_another_name_are_another_model(settings: Settings, shelf: Shelf) -> None:
    shelf.promote(A)
    refresh = _refresh(settings, shelf)
    shelf.what["b"] = "a@00000001"
    shelf.promote(A, Promotion(name="b", id="a@00000001"))
    refresh.look()
    assert shelf.loaded == ["a", "b"]


def test_a_pinned_model_stays(settings: Settings, shelf: Shelf) -> None:
    shelf.promote(A)
    refresh = _refresh(settings.model_copy(update={"model": "b"}), shelf)
    threads = threading.active_count()
    with refreshing(refresh, lambda model, note: None):
        assert threading.active_count() == threads
    assert (refresh.engine.model, refresh.follows, shelf.loaded) == ("b@00000002", False, ["b"])


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (ModelError("model.safetensors is no safetensors file"), "model.safetensors is no safetensors file"),
        (DeviceFullError("the device is out of memory"), "the device is out of memory"),
        (RuntimeError("bad\nnews"), "RuntimeError: bad"),
        ("b@0000000f", "model b has changed since it was promoted: it was b@00000002, it is b@0000000f"),
    ],
)
def test_a_model_that_cannot_be_used_is_refused_once_and_the_old_one_stays(
    settings: Settings,
    shelf: Shelf,
    caplog: pytest.LogCaptureFixture,
    fault: str | Exception,
    reason: str,
) -> None:
    shelf.promote(A)
    refresh = _refresh(settings, shelf)
    shelf.what["b"] = fault
    shelf.promote(A, B)
    with caplog.at_level(logging.WARNING):
        refresh.look()
        refresh.look()
    assert (refresh.engine.model, refresh.note) == ("a@00000001", f"b is refused: {reason}")
    assert shelf.loaded == ["a", "b"]
    assert caplog.messages == [f"b is refused: {reason}; the model before it stays"]


def test_a_refused_model_is_tried_again_after_a_while(
    settings: Settings, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_RETRY_S", 0)
    refresh = _refresh(settings, shelf)
    mended, shelf.what["a"] = shelf.what["a"], ModelError("half copied")
    shelf.promote(A)
    refresh.look()
    assert "half copied" in refresh.note
    shelf.what["a"] = mended
    refresh.look()
    assert (refresh.engine.model, refresh.note) == ("a@00000001", "")


def test_the_note_goes_with_a_promotion_that_is_taken_back(settings: Settings, shelf: Shelf) -> None:
    refresh = _refresh(settings, shelf)
    shelf.what["a"] = ModelError("broken")
    shelf.promote(A)
    refresh.look()
    shelf.promote()
    refresh.look()
    assert (refresh.engine.model, refresh.note) == ("nano@00000000", "")


def test_a_list_that_cannot_be_read_changes_nothing(settings: Settings, shelf: Shelf) -> None:
    shelf.promote(A)
    refresh = _refresh(settings, shelf)
    (settings.models / ACTIVE_FILE).write_text("{")
    refresh.look()
    assert refresh.engine.model == "a@00000001"
    assert refresh.note.startswith("the promoted model is refused: ")
    shelf.promote(A, B)
    refresh.look()
    assert (refresh.engine.model, refresh.note) == ("b@00000002", "")


def test_a_new_worker_takes_the_last_model_that_can_be_used(settings: Settings, shelf: Shelf) -> None:
    shelf.what["b"] = ModelError("broken")
    shelf.promote(A, B)
    refresh = _refresh(settings, shelf)
    assert (refresh.engine.model, refresh.note) == ("a@00000001", "b is refused: broken")
    refresh.look()
    assert (shelf.loaded, shelf.beats) == (["b", "a"], 2)


def test_a_new_worker_begins_with_nano_where_the_list_is_damaged(settings: Settings, shelf: Shelf) -> None:
    (settings.models / ACTIVE_FILE).write_bytes(b"\xff")
    refresh = _refresh(settings, shelf)
    assert refresh.engine.model == "nano@00000000"
    assert "does not say which model is active" in refresh.note


def test_a_worker_without_any_model_cannot_start(settings: Settings, shelf: Shelf) -> None:
    shelf.what = dict.fromkeys(shelf.what, ModelError("broken"))
    shelf.promote(A)
    with pytest.raises(ModelError, match="broken"):
        _refresh(settings, shelf)


def test_what_changes_is_announced_once(settings: Settings, shelf: Shelf) -> None:
    refresh, told, enough = _refresh(settings, shelf), [], threading.Event()

    def announce(model: str, note: str) -> None:
        told.append((model, note))
        if len(told) == 1:
            shelf.what["b"] = ModelError("broken")
            shelf.promote(A, B)
        else:
            enough.set()

    with refreshing(refresh, announce, every_s=0.01):
        shelf.promote(A)
        assert enough.wait(60)
    assert told == [("a@00000001", ""), ("a@00000001", "b is refused: broken")]
