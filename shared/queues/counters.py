"""Totals over all clips, on the broker: each is counted in the same atomic step as what it counts."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Final

import msgspec

from shared.queues.broker import Broker

_SECONDS: Final = "seconds"
_DROPPED: Final = "dropped"
_LAST: Final = "last"


@dataclass(frozen=True)
class Totals:
    """What has been counted since the broker's data began."""

    counts: Mapping[str, int]
    """By name: `frames`, `faces`, `done` and `failed` (faces), `explained` and `unexplained` (queries),
    `dead`, `clips:<state>`."""
    seconds: Mapping[tuple[str, str], float]
    """Time that jobs took, by stage and step."""
    dropped: Mapping[str, int]
    """Frames that are missing from the timelines, by reason."""
    last_s: Mapping[str, float]
    """When each of `counts` last rose, Unix seconds on the broker's clock."""


def read(broker: Broker) -> Totals:
    """Return the totals; what has never been counted is left out."""
    counts: dict[str, int] = {}
    seconds: dict[tuple[str, str], float] = {}
    dropped: dict[str, int] = {}
    last_s: dict[str, float] = {}
    counted = (broker.client.hgetall(keys.counters).items() for keys in broker.keys.everywhere())
    for name, value in chain.from_iterable(counted):
        kind, _, rest = name.decode().partition(":")
        if kind == _SECONDS:
            stage, _, step = rest.partition(":")
            seconds[stage, step] = seconds.get((stage, step), 0.0) + int(value) / 1e6
        elif kind == _DROPPED:
            dropped[rest] = dropped.get(rest, 0) + int(value)
        elif kind == _LAST:
            last_s[rest] = max(last_s.get(rest, 0.0), int(value))
        else:
            counts[name.decode()] = counts.get(name.decode(), 0) + int(value)
    return Totals(counts, seconds, dropped, last_s)


def spent(stage: str, microseconds: Mapping[str, int]) -> dict[str, int]:
    """Return the counters for the time that a stage spent on its steps."""
    return {f"{_SECONDS}:{stage}:{step}": time for step, time in microseconds.items()}


def lost(dropped: Mapping[str, int]) -> dict[str, int]:
    """Return the counters for frames that were dropped, by reason."""
    return {f"{_DROPPED}:{reason}": count for reason, count in dropped.items()}


def encode(counts: Mapping[str, int] | None) -> bytes:
    """Return counters as the scripts read them: a JSON object."""
    return msgspec.json.encode(counts or {})
