"""Who is alive: each service's last heartbeat."""

import time
from typing import Final

import msgspec

from shared.queues.broker import Broker

ALIVE_S: Final = 5.0
_FORGET_S: Final = 60.0


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """A running service as it describes itself.

    `rate` in faces per second, `seen_s` in Unix time; `note` says what it makes do with.
    """

    name: str
    kind: str
    pid: int
    host: str
    device: str = ""
    model: str = ""
    note: str = ""
    handled: int = 0
    rate: float = 0.0
    seen_s: float = 0.0


def live_name(clip_id: str) -> str:
    """Return the name of the service that ingests a live clip."""
    return f"camera-{clip_id}"


def beat(broker: Broker, service: Service) -> None:
    """Say that a service is alive; call it about once a second."""
    now = msgspec.structs.replace(service, seen_s=time.time())
    broker.client.hset(broker.keys.services, service.name, msgspec.json.encode(now))


def leave(broker: Broker, name: str) -> None:
    """Say that a service has ended."""
    broker.client.hdel(broker.keys.services, name)


def alive(broker: Broker) -> list[Service]:
    """Return the services seen within `ALIVE_S` seconds, by kind and name."""
    now = time.time()
    services = [
        service
        for service in map(_parse, broker.client.hgetall(broker.keys.services).values())
        if service is not None
    ]
    for service in services:
        if now - service.seen_s > _FORGET_S:
            leave(broker, service.name)
    return sorted(
        (one for one in services if now - one.seen_s <= ALIVE_S), key=lambda one: (one.kind, one.name)
    )


def _parse(raw: bytes) -> Service | None:
    """A heartbeat that cannot be read is none."""
    try:
        return msgspec.json.decode(raw, type=Service)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
