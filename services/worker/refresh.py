"""The engine that reads the faces: a newly promoted model is loaded beside it, then takes its place."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from services.worker.engine import ExpressionEngine, Timer, load_engine
from shared.errors import ModelError, ReelmoodError
from shared.poster.active import ACTIVE, NOTHING_PROMOTED, Promotion, active, read_promotions
from shared.poster.promotion import check_unchanged
from shared.settings import Settings

logger = logging.getLogger(__name__)

_LOOK_S: Final = 1.0
_RETRY_S: Final = 60.0

Announce = Callable[[str, str], None]
"""Told the id of the model in use, and why another one is not ("" while none is refused)."""


class Refresh:
    """The engine in use, `engine`, and what is needed to keep it up with the registry.

    With the setting `model` at `active` that is the promoted model (`follows`). One that cannot be used is
    refused with a reason, `note`, and tried again each minute; the engine in use stays. Any other `model` is
    pinned.
    """

    engine: ExpressionEngine

    def __init__(self, settings: Settings, timed: Timer, beat: Callable[[], None]) -> None:
        """Load the model: where the promoted one is refused, the last one before it that can be used.

        `beat` is called before each model that is loaded. Raises ReelmoodError when none can be used, or the
        device is not there.
        """
        self._settings, self._timed = settings, timed
        self._refused: Promotion | None = None
        self._retry_at = 0.0
        self.note = ""
        self.follows = settings.model == ACTIVE
        if self.follows:
            self._begin(beat)
        else:
            beat()
            self.engine = load_engine(settings, timed)

    def _begin(self, beat: Callable[[], None]) -> None:
        try:
            candidates = read_promotions(self._settings.models)
        except ModelError as error:
            self._refuse(None, error)
            candidates = [NOTHING_PROMOTED]
        while True:
            beat()
            try:
                self._served = candidates.pop()
                self.engine = self._open(self._served)
            except Exception as error:
                if not candidates:
                    raise
                if not self.note:
                    self._refuse(self._served, error)
            else:
                return

    def look(self) -> None:
        """Load the promoted model if it is another one than that in use, and put it in its place."""
        wanted = None
        try:
            wanted = active(self._settings.models)
            same_name = wanted.name == self._served.name
            if wanted == self._served or (same_name and wanted.id == self.engine.model):
                self._served, self.note = wanted, ""
                return
            if wanted == self._refused and time.monotonic() < self._retry_at:
                return
            engine = self._open(wanted)
        except Exception as error:  # noqa: BLE001 - whatever a folder makes torch raise, the old model stays
            self._refuse(wanted, error)
            return
        logger.info("from the next batch on faces are read with %s, not %s", engine.model, self.engine.model)
        self.engine, self._served, self.note = engine, wanted, ""

    def _open(self, promotion: Promotion) -> ExpressionEngine:
        settings = self._settings.model_copy(update={"model": promotion.name})
        engine = load_engine(settings, self._timed)
        check_unchanged(promotion, engine.model, settings.models)
        return engine

    def _refuse(self, promotion: Promotion | None, error: Exception) -> None:
        reason = str(error) if isinstance(error, ReelmoodError) else f"{type(error).__name__}: {error}"
        note = f"{promotion.name if promotion else 'the promoted model'} is refused: {reason}".split("\n")[0]
        if note != self.note:
            logger.warning("%s; the model before it stays", note)
        self.note, self._refused, self._retry_at = note, promotion, time.monotonic() + _RETRY_S


@contextmanager
def refreshing(refresh: Refresh, announce: Announce, every_s: float = _LOOK_S) -> Iterator[None]:
    """Look for a newly promoted model each second, from a thread of its own, until the block ends.

    `announce` is told whenever model or note have changed. A pinned model needs no thread.
    """
    if not refresh.follows:
        yield
        return
    ended = threading.Event()

    def keep_up() -> None:
        told = (refresh.engine.model, refresh.note)
        while not ended.wait(every_s):
            refresh.look()
            now = (refresh.engine.model, refresh.note)
            if now != told:
                announce(*now)
                told = now

    thread = threading.Thread(target=keep_up, name="refresh", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
