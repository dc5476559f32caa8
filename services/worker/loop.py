"""The worker: takes faces off the stream, has them read, commits what came out."""

import logging
import os
import platform
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

from services.worker.batch import read_within_memory
from services.worker.engine import ExpressionEngine
from services.worker.refresh import Refresh, refreshing
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

_BLOCK_MS: Final = 1000


def serve(
    settings: Settings,
    broker: Broker,
    stop: threading.Event,
    name: str,
    pulse: Pulse,
    metrics: LoopMetrics,
) -> None:
    """Read faces until `stop` is set; the batch in hand is finished first.

    `name` is this worker's own and stays the same when it is started again. Raises ReelmoodError when the
    device is not there or fails, or no model can be used: what it had in hand is then delivered again.
    """
    # The broker is there, the model is not.
    refresh = Refresh(settings, metrics.timed, lambda: pulse.beat(ready=False))
    logger.info("worker %s reads faces with %s on %s", name, refresh.engine.model, refresh.engine.device)
    service = Service(
        name=name,
        kind="worker",
        pid=os.getpid(),
        host=platform.node(),
        device=refresh.engine.device,
        model=refresh.engine.model,
        note=refresh.note,
    )
    describe_anew = describe(metrics.registry, service)
    with heartbeat(broker, service, pulse, settings.hang_s) as said:

        def announce(model: str, note: str) -> None:
            said.service = msgspec.structs.replace(service, model=model, note=note)
            describe_anew(said.service)

        with refreshing(refresh, announce):
            run(settings, broker, lambda: refresh.engine, stop, name, pulse, metrics)
    logger.info("worker %s ends after %d faces", name, pulse.handled)


def run(
    settings: Settings,
    broker: Broker,
    engine_now: Callable[[], ExpressionEngine],
    stop: threading.Event,
    name: str,
    pulse: Pulse,
    metrics: LoopMetrics,
) -> None:
    """Have the engine read faces until `stop` is set; `pulse` beats with every batch. Raises DeviceError.

    `engine_now` is asked before each batch which engine that is.
    """
    outage, limit = Outage(stop, pulse), settings.batch_size
    for entries in batches(settings, broker, stop, name, outage):
        metrics.take([entry.deliveries for entry in entries])
        outcomes, limit = read_within_memory(engine_now(), entries, settings.max_deliveries, limit)
        with metrics.timed("commit"):
            committed = commit(broker, outcomes, stop, outage)
        metrics.commit(committed, of=len(outcomes))
        pulse.handled += committed


def batches(
    settings: Settings, broker: Broker, stop: threading.Event, name: str, outage: Outage
) -> Iterator[list[Entry]]:
    """Yield entries as they come, until `stop` is set; whatever is yielded must be committed before the next.

    Entries that were delivered before come alone: if one of them ends its worker, the others don't pay.
    """
    while not stop.is_set():
        try:
            while not stop.is_set() and (mine := work.recover(broker, Stage.FACES, name, 1)):
                yield mine
            yield from _arriving(settings, broker, stop, name, outage)
        except LOST as error:
            # A reply may have been lost with entries in it: after the pause they are recovered.
            outage.wait(error)


def commit(broker: Broker, outcomes: Sequence[Outcome], stop: threading.Event, outage: Outage) -> int:
    """Commit a batch, waiting for a lost broker, and return how many entries were still this worker's.

    Once `stop` is set a lost broker is not waited for: the faces will be delivered again.
    """
    while True:
        try:
            committed = work.commit(broker, Stage.FACES, outcomes)
        except LOST as error:
            if stop.is_set():
                logger.warning("%d faces not committed, the broker is lost", len(outcomes))
                return 0
            outage.wait(error)
        else:
            outage.over()
            if committed < len(outcomes):
                logger.info("%d faces were no longer this worker's", len(outcomes) - committed)
            return committed


def _arriving(
    settings: Settings, broker: Broker, stop: threading.Event, name: str, outage: Outage
) -> Iterator[list[Entry]]:
    """Yield new entries, and now and then those of workers that fell silent."""
    every_s = settings.reclaim_s / 2
    block_ms = max(1, min(_BLOCK_MS, int(every_s * 1000)))
    reclaim_at = time.monotonic()
    while not stop.is_set():
        if time.monotonic() >= reclaim_at:
            while not stop.is_set() and (
                orphans := work.reclaim(broker, Stage.FACES, name, settings.reclaim_s, 1)
            ):
                yield orphans
            reclaim_at = time.monotonic() + every_s
        entries = work.take(broker, Stage.FACES, name, settings.batch_size, block_ms)
        outage.over()
        if entries:
            yield entries
