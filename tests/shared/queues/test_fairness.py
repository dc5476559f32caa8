"""Forty clips of very different length at once, a step at a time: one commit of ingest and one batch."""

from shared.queues import clips, jobs, turns, work
from shared.queues.broker import Broker
from shared.queues.clips import State
from shared.queues.tasks import Task, queue_of
from shared.queues.work import Stage
from tests.shared.queues.sharded import bring, make, make_groups, read

STEP = 8
TURN = 4
"""Steps of a turn at least."""


def _steps(broker: Broker, lengths: dict[str, int]) -> dict[str, int]:
    """Send clips through, and return after how many steps each was read; ingest has the first in hand."""
    make_groups(broker)
    through: dict[str, int] = {}
    at: dict[str, int] = dict.fromkeys(lengths, 0)
    for clip_id in lengths:
        make(broker, clip_id)
    current, *others = lengths
    for clip_id in others:
        _queue(broker, clip_id, lengths)
    turn, step = 0, 0
    while len(through) < len(lengths):
        step, turn = step + 1, turn + 1
        if current:
            end = min(at[current] + STEP, lengths[current])
            assert bring(broker, current, at[current], end, last=end == lengths[current])
            at[current] = end
            foremost_s = turns.foremost(broker)
            if end == lengths[current]:
                current, turn = _next(broker), 0
            elif turn >= TURN and foremost_s is not None and foremost_s < lengths[current]:
                _queue(broker, current, lengths)
                current, turn = _next(broker), 0
        batch = work.take(broker, Stage.FACES, "w", STEP, 1)
        work.commit(broker, Stage.FACES, [read(entry) for entry in batch])
        for clip_id in {entry.clip for entry in batch}:
            clip = clips.get(broker, clip_id)
            if clip is not None and clip.state is State.FINISHING:
                through[clip_id] = step
    return through


def _queue(broker: Broker, clip_id: str, lengths: dict[str, int]) -> None:
    turns.expect(broker, clip_id, lengths[clip_id])
    jobs.restore(broker, Task.INGEST, clip_id)


def _next(broker: Broker) -> str:
    turns.foremost(broker)
    queue = queue_of(broker, Task.INGEST)
    return str(queue.pop_job_id()).removeprefix("test-clips-") if queue.count else ""


def test_the_shortest_of_forty_finishes_within_three_times_its_time_alone(broker: Broker) -> None:
    lengths = {f"clip-{number}": round(24 * 1.1**number) for number in reversed(range(40))}
    shortest = list(lengths)[-1]
    alone = _steps(broker, {shortest: lengths[shortest]})[shortest]
    broker.client.flushall()
    together = _steps(broker, lengths)
    assert together[shortest] <= 3 * alone
    # What the others lose by it: nobody waits for one that is longer by more than a turn each.
    order = sorted(lengths, key=lengths.__getitem__)
    done = 0
    for clip_id in order:
        done += lengths[clip_id]
        assert together[clip_id] <= 2 * done / STEP + TURN + 2
