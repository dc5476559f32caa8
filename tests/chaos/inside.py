"""A worker and retrieval inside the test's own process, with an engine that is made up."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from services.retrieval import loop as retrieval
from services.worker import loop as worker
from shared.metrics.loop import loop_metrics
from shared.pulse import Pulse
from shared.queues.broker import Broker
from shared.settings import Settings
from tests.services.worker.made import MadeEngine


@contextmanager
def serving(
    settings: Settings, broker: Broker, before: Callable[[list[int]], None] = lambda frames: None
) -> Iterator[None]:
    """Read faces and answer searches in two threads, until the block ends; `before` sees each batch first."""
    stop, failures = threading.Event(), list[BaseException]()

    def guarded(serve: Callable[[], None]) -> None:
        try:
            serve()
        except BaseException as error:  # noqa: BLE001 - raised again below, where it fails the test
            failures.append(error)

    engine = MadeEngine(before)

    def read() -> None:
        worker.run(settings, broker, lambda: engine, stop, "w1", Pulse(), loop_metrics())

    def search() -> None:
        retrieval.serve(settings, broker, stop, "r1", Pulse(), loop_metrics())

    threads = [threading.Thread(target=guarded, args=(serve,)) for serve in (read, search)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    if failures:
        raise failures[0]
