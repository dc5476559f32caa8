"""The training runs: what was ordered, how far each is, and the wish that one stop."""

import math
import time
from enum import StrEnum
from typing import Annotated, Final

import msgspec

from shared.errors import DataError
from shared.queues import jobs
from shared.queues.broker import Broker
from shared.queues.tasks import Task

Count = Annotated[int, msgspec.Meta(ge=1)]

_PROGRESS_TTL_S: Final = 30
_KEPT: Final = 200


class State(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    STOPPED = "stopped"
    DONE = "done"
    FAILED = "failed"


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a run is within its epoch: epoch and step from 1, mean loss so far, seconds left.

    `loss` is None where it is no number any more.
    """

    epoch: Count
    epochs: Count
    step: Count
    steps: Count
    loss: float | None
    left_s: float | None = None


class Training(msgspec.Struct, frozen=True, kw_only=True):
    """A run as it was ordered, and what became of it. Times are Unix seconds, 0 while they have not come."""

    name: str
    spec: str
    """What to do (`training.spec.RunSpec`) as JSON."""
    epochs: int
    state: State = State.QUEUED
    error: str = ""
    """Why it failed, one line."""
    epoch: int = 0
    """Epochs that are finished and saved."""
    figures: dict[str, float] = {}
    """The last of them, as in its history."""
    starts: int = 0
    """How often its job was begun: once, and again after each crash, stop or restart."""
    model: str = ""
    """Folder of the finished model."""
    stopping: bool = False
    """True: it is to stop, and has not done so yet."""
    progress: Progress | None = None
    created_s: float = 0.0
    started_s: float = 0.0
    finished_s: float = 0.0


_ENDED: Final = (State.STOPPED, State.DONE, State.FAILED)


def order(broker: Broker, name: str, spec: bytes, epochs: int) -> None:
    """Put a run on the queue. Raises DataError when one of its name waits or is under way."""
    held = get(broker, name)
    if held is not None and held.state not in _ENDED:
        raise DataError(f"a run {name} is {held.state.value} already: choose another name, or stop it first")
    _forget_oldest(broker)
    ordered = Training(name=name, spec=spec.decode(), epochs=epochs, created_s=time.time())
    _queue(broker, ordered)


def resume(broker: Broker, name: str) -> None:
    """Put a run that stopped, failed, or lost its job on the queue again; it goes on from its last epoch.

    Raises DataError when there is no such run, or nothing to resume.
    """
    held = _known(broker, name)
    if held.state is State.DONE:
        raise DataError(f"run {name} is done")
    if held.state not in _ENDED and jobs.stands(broker, Task.TRAIN, name):
        raise DataError(f"run {name} is {held.state.value} already")
    _queue(broker, msgspec.structs.replace(held, state=State.QUEUED, error="", finished_s=0.0))


def stop(broker: Broker, name: str) -> State:
    """Have a run stop, and return how it stands then: one that waits is stopped, one under way stops soon.

    Raises DataError when there is no such run, or it has ended.
    """
    held = _known(broker, name)
    if held.state in _ENDED:
        raise DataError(f"run {name} is {held.state.value} already")
    broker.client.sadd(broker.keys.stopping, name)
    if not jobs.waits(broker, Task.TRAIN, name):
        return held.state
    jobs.drop(broker, Task.TRAIN, name)
    end(broker, name, State.STOPPED)
    return State.STOPPED


def begin(broker: Broker, name: str) -> Training | None:
    """Take note that a run's job begins, and return the run.

    None when it has ended, is to stop (it then has), or is not known.
    """
    held = get(broker, name)
    if held is None or held.state in _ENDED:
        return None
    if held.stopping:
        end(broker, name, State.STOPPED)
        return None
    begun = msgspec.structs.replace(
        held, state=State.RUNNING, starts=held.starts + 1, started_s=held.started_s or time.time()
    )
    _store(broker, begun)
    return begun


def tell(broker: Broker, name: str, progress: Progress) -> bool:
    """Say how far a run is; return whether it is to stop."""
    broker.client.set(broker.keys.training(name), msgspec.json.encode(progress), ex=_PROGRESS_TTL_S)
    return bool(broker.client.sismember(broker.keys.stopping, name))


def finish_epoch(broker: Broker, name: str, figures: dict[str, float]) -> None:
    """Say that an epoch is saved: its row of the history, of which `epoch` is the number, from 1."""
    held = _stored(broker, name)
    if held is not None:
        finite = {figure: value for figure, value in figures.items() if math.isfinite(value)}
        _store(broker, msgspec.structs.replace(held, epoch=int(figures["epoch"]), figures=finite))
        jobs.allow_retries(broker, name)


def end(broker: Broker, name: str, state: State, *, error: str = "", model: str = "") -> None:
    """Say that a run has ended."""
    held = _stored(broker, name)
    if held is not None:
        ended = msgspec.structs.replace(
            held, state=state, error=error, model=model, finished_s=time.time(), progress=None
        )
        _store(broker, ended)
    broker.client.srem(broker.keys.stopping, name)
    broker.client.delete(broker.keys.training(name))


def get(broker: Broker, name: str) -> Training | None:
    """Return a run as it stands now, or None when it is not known or cannot be read."""
    held = _stored(broker, name)
    return None if held is None else _as_it_stands(broker, held)


def recent(broker: Broker, limit: int = _KEPT) -> list[Training]:
    """Return the runs as they stand now, the newest first."""
    return [_as_it_stands(broker, one) for one in _all(broker)[:limit]]


def _as_it_stands(broker: Broker, held: Training) -> Training:
    """Return a run with its live progress, and the state that its job is in: a crash is noted by RQ alone."""
    if held.state in _ENDED:
        return held
    if (reason := jobs.crash(broker, Task.TRAIN, held.name)) is not None:
        return msgspec.structs.replace(
            held, state=State.FAILED, error=f"it crashed again and again: {reason}"
        )
    stopping = bool(broker.client.sismember(broker.keys.stopping, held.name))
    if jobs.waits(broker, Task.TRAIN, held.name):
        return msgspec.structs.replace(held, state=State.QUEUED, stopping=stopping)
    raw = broker.client.get(broker.keys.training(held.name))
    return msgspec.structs.replace(held, stopping=stopping, progress=_progress(raw))


def _progress(raw: bytes | None) -> Progress | None:
    try:
        return None if raw is None else msgspec.json.decode(raw, type=Progress)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _queue(broker: Broker, run: Training) -> None:
    broker.client.srem(broker.keys.stopping, run.name)
    _store(broker, run)
    jobs.restore(broker, Task.TRAIN, run.name)


def _known(broker: Broker, name: str) -> Training:
    held = get(broker, name)
    if held is None:
        raise DataError(f"no run is called {name}: see `reelmood runs list`")
    return held


def _forget_oldest(broker: Broker) -> None:
    ended = [one for one in _all(broker)[_KEPT - 1 :] if one.state in _ENDED]
    for one in ended:
        broker.client.hdel(broker.keys.trainings, one.name)


def _all(broker: Broker) -> list[Training]:
    known = [_parse(raw) for raw in broker.client.hgetall(broker.keys.trainings).values()]
    return sorted((one for one in known if one is not None), key=lambda one: one.created_s, reverse=True)


def _stored(broker: Broker, name: str) -> Training | None:
    raw = broker.client.hget(broker.keys.trainings, name)
    return None if raw is None else _parse(raw)


def _store(broker: Broker, run: Training) -> None:
    plain = msgspec.structs.replace(run, progress=None, stopping=False)
    broker.client.hset(broker.keys.trainings, run.name, msgspec.json.encode(plain))


def _parse(raw: bytes) -> Training | None:
    """A run that cannot be read is none."""
    try:
        return msgspec.json.decode(raw, type=Training)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
