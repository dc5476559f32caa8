"""The house at one moment: queues, speeds, dead letters."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from shared.queues import counters, dead, jobs, letters, work
from shared.queues.broker import Broker
from shared.queues.counters import Totals
from shared.queues.letters import Row

LETTERS: Final = 10
"""Dead letters that are listed, the oldest."""

_COUNTED: Final = {"frames": "frames", "faces": "faces found", "done": "faces read", "explained": "searches"}


@dataclass(frozen=True)
class Queue:
    """Entries that wait or are under way, how many of them are in hand, and seconds since the oldest came."""

    name: str
    waiting: int
    in_hand: int
    oldest_s: float


@dataclass(frozen=True)
class Report:
    """What the broker says: `at_s` is when, on the monotonic clock, `dead` the number of all letters."""

    queues: Sequence[Queue]
    totals: Totals
    letters: Sequence[Row]
    dead: int
    at_s: float


def report(broker: Broker) -> Report:
    """Ask the broker."""
    depths = work.depths(broker)
    waiting = {name: depths[name] for name in depths if name != "dead"} | jobs.lengths(broker)
    taken = work.taken(broker) | jobs.taken(broker)
    ages = work.ages(broker) | jobs.ages(broker)
    listed = [letters.describe(broker, one) for one in islice(dead.letters(broker), LETTERS)]
    return Report(
        queues=[Queue(name, waiting[name], taken.get(name, 0), ages.get(name, 0.0)) for name in waiting],
        totals=counters.read(broker),
        letters=listed,
        dead=depths["dead"],
        at_s=time.monotonic(),
    )


def rates(before: Report | None, now: Report) -> dict[str, float]:
    """Return what was done each second between two reports, by kind; nothing for the first one."""
    if before is None or now.at_s <= before.at_s:
        return {}
    seconds = now.at_s - before.at_s
    return {
        words: max(0, now.totals.counts.get(name, 0) - before.totals.counts.get(name, 0)) / seconds
        for name, words in _COUNTED.items()
    }


def act(broker: Broker, ids: Sequence[str], *, retry: bool) -> str:
    """Put dead letters back, or delete them, and return what became of them, in a line."""
    outcomes: dict[str, int] = {}
    for letter_id in ids:
        letter = dead.find(broker, letter_id)
        if letter is None:
            continue
        _, what = letters.put_back(broker, letter) if retry else letters.delete(broker, letter)
        outcomes[what] = outcomes.get(what, 0) + 1
    return "; ".join(f"{count:,} {what}" for what, count in outcomes.items()) or "they are gone already"


def retry_all(broker: Broker) -> str:
    """Put all dead letters back, and return what became of them, in a line."""
    # The ids first: a letter that is dead again by the time it is listed would be put back for ever.
    return act(broker, [letter.id for letter in dead.letters(broker)], retry=True)
