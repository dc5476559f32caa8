"""The retrieval service: answers queries until it is told to stop."""

import logging
import os
import platform
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Final

from services.retrieval.answer import answer
from services.retrieval.library import Library
from shared.errors import MessageError
from shared.logs import about
from shared.messages import Query, decode, encode
from shared.metrics.identity import describe
from shared.metrics.loop import LoopMetrics
from shared.pulse import Pulse
from shared.queues import work
from shared.queues.broker import LOST, Broker
from shared.queues.heartbeat import heartbeat
from shared.queues.outage import Outage
from shared.queues.presence import Service
from shared.queues.work import Entry, Outcome, Stage
from shared.settings import Settings

logger = logging.getLogger(__name__)

_BATCH: Final = 64
_BLOCK_MS: Final = 500


def serve(
    settings: Settings,
    broker: Broker,
    stop: threading.Event,
    name: str,
    pulse: Pulse,
    metrics: LoopMetrics,
) -> None:
    """Answer the queries on the broker until `stop` is set.

    `name` is stable: what a killed predecessor of this name had taken is answered first, and what others have
    held for `settings.reclaim_s` is taken over. While the broker is away, the service waits and tries again.
    """
    library, outage = Library(settings.gallery, settings.results), Outage(stop, pulse)
    service = Service(name=name, kind="retrieval", pid=os.getpid(), host=platform.node(), device="cpu")
    describe(metrics.registry, service)
    logger.info("retrieval %s is ready", name)
    with heartbeat(broker, service, pulse, settings.hang_s):
        while not stop.is_set():
            try:
                for entries in _batches(settings, broker, stop, name):
                    if entries:
                        pulse.handled += _work_off(broker, entries, library, settings, metrics)
                    outage.over()
            except LOST as error:
                outage.wait(error)
    logger.info("retrieval %s has stopped", name)


def _work_off(
    broker: Broker, entries: Sequence[Entry], library: Library, settings: Settings, metrics: LoopMetrics
) -> int:
    """Answer entries, and return how many were still this service's at the commit."""
    metrics.take([entry.deliveries for entry in entries])
    with metrics.timed("search"):
        outcomes = [handle(entry, library, settings) for entry in entries]
    with metrics.timed("commit"):
        committed = work.commit(broker, Stage.QUERIES, outcomes)
    metrics.commit(committed, of=len(outcomes))
    return committed


def _batches(settings: Settings, broker: Broker, stop: threading.Event, name: str) -> Iterator[list[Entry]]:
    """Yield a predecessor's entries, then new ones, and now and then those of services that fell silent.

    Entries that were delivered before come alone: if one of them ends its service, the others don't pay.
    """
    while entries := work.recover(broker, Stage.QUERIES, name, 1):
        yield entries
    reclaim_at = time.monotonic()
    while not stop.is_set():
        if time.monotonic() >= reclaim_at:
            reclaim_at = time.monotonic() + settings.reclaim_s / 2
            while orphans := work.reclaim(broker, Stage.QUERIES, name, settings.reclaim_s, 1):
                yield orphans
        yield work.take(broker, Stage.QUERIES, name, _BATCH, _BLOCK_MS)


def handle(entry: Entry, library: Library, settings: Settings) -> Outcome:
    """Return the outcome of one query: its neighbours, or the reason why there are none."""
    if entry.deliveries > settings.max_deliveries:
        return _given_up(entry, f"query given up after {settings.max_deliveries} deliveries")
    try:
        query = decode(Query, entry.data)
        found = answer(query, library.gallery_of(query.model), settings.neighbours)
    except MessageError as error:
        return _given_up(entry, str(error))
    return Outcome(entry, result=encode(found))


def _given_up(entry: Entry, reason: str) -> Outcome:
    with about(entry.clip):
        logger.warning("query %s of clip %s is given up: %s", entry.id, entry.clip, reason)
    return Outcome(entry, failure=reason)
