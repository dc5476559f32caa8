"""The broker's append-only file: what was deleted stays in it until it is rewritten."""

import time
from typing import Final

from redis.exceptions import ResponseError

from shared.queues.broker import LOST, Broker
from shared.queues.commands import Commands

_LOOK_S: Final = 0.05


def compact(broker: Broker, patience_s: float) -> bool:
    """Have the broker's servers rewrite their append-only files, so that these hold no deleted data any more.

    Returns False when that did not come about within `patience_s` seconds, or is not allowed here; True too
    where the broker keeps no such file. Source: Redis documentation, "Redis persistence", log rewriting.
    """
    deadline = time.monotonic() + patience_s
    compacted = [_compact(server, deadline) for server in broker.servers()]
    return all(compacted)


def _compact(server: Commands, deadline: float) -> bool:
    started = False
    while True:
        try:
            state = server.info("persistence")
            busy = state["aof_rewrite_in_progress"] or state["aof_rewrite_scheduled"]
            if not state["aof_enabled"] or (started and not busy):
                return not state["aof_enabled"] or state["aof_last_bgrewrite_status"] == "ok"
            # one that was under way before may hold what was deleted since it began
            if not started and not busy:
                server.bgrewriteaof()
                started = True
        except (ResponseError, *LOST):
            return False
        if time.monotonic() >= deadline:
            return False
        time.sleep(_LOOK_S)
