"""What all chaos tests stand on: clips, the processes to disturb, and what must be true in the end."""

import shutil
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import psutil

from shared.emotions import EMOTIONS
from shared.errors import BrokerError
from shared.queues import clips, sources, work
from shared.queues.broker import LOST, Broker, connect
from shared.queues.clips import Clip, State
from shared.queues.work import Stage
from shared.settings import Settings
from tests.integration.reelmood import Up, eventually

Measure = Callable[[str, float], None]

PRECISION = 1e-5
PROBABILITIES = [f"p_{emotion}" for emotion in EMOTIONS]
MEASURED = [*PROBABILITIES, "confidence"]

EXACT = {"REELMOOD_PRECISION": "float32"}
"""In bfloat16 an answer depends on the batch, and batches fall differently after a kill."""

BUSY = {
    **EXACT,
    "REELMOOD_STABLE_S": "0",
    "REELMOOD_POLL_S": "0.2",
    "REELMOOD_BATCH_SIZE": "8",
    "REELMOOD_RECLAIM_S": "2",
}
"""Settings under which little is in hand at a time, and the dead are soon noticed."""

KINDS: dict[str, tuple[str, ...]] = {
    "worker": ("worker", "--slot", "1"),
    "second worker": ("worker", "--slot", "2"),
    "runner": ("ingest", "--part", "runner"),
    "watcher": ("ingest", "--part", "watcher"),
    "retrieval": ("retrieval",),
    "recorder": ("recorder",),
    "dashboard": ("dashboard",),
}
JOB = "job"
"""The process that the runner forks for a clip."""


def settings_of(running: Up) -> Settings:
    """Return the settings of a running `reelmood up` that say where its broker is."""
    return Settings(home=running.home, redis_url=running.environment.get("REELMOOD_REDIS_URL"))


def broker_of(running: Up) -> Broker:
    """Connect to the broker of a running `reelmood up`."""
    return connect(settings_of(running))


def look(running: Up) -> list[Clip]:
    """Return the clips as they stand; none while the broker is away."""
    try:
        return clips.recent(broker_of(running))
    except (BrokerError, *LOST):
        return []


def faces_read(running: Up) -> int:
    """Return how many faces have been read so far."""
    return sum(clip.done for clip in look(running))


def until_read(running: Up, count: int) -> None:
    """Wait until so many faces have been read."""
    eventually(lambda: faces_read(running) >= count, f"{count} faces are read")


def until(running: Up, condition: Callable[[Clip], bool], what: str) -> None:
    """Wait until a clip is as it should be."""
    eventually(lambda: any(condition(clip) for clip in look(running)), what)


def drop(clip: Path, running: Up, number: int | None = None) -> Path:
    """Put a clip into the incoming folder and return where it will be once it is done.

    With a `number` it is one of many that show the same and are not the same file: an MP4 reader skips the
    box `free` at its end.
    """
    name = clip.name if number is None else f"{clip.stem}-{number:03}{clip.suffix}"
    part = running.home / "incoming" / f".{name}"
    shutil.copy(clip, part)
    if number is not None:
        with part.open("ab") as file:
            file.write(struct.pack(">I4sI", 12, b"free", number))
    part.rename(part.with_name(name))
    return running.home / "done" / name


def wait_until_done(running: Up, *done: Path) -> None:
    """Wait until clips have been moved to the folder of those that are done, and their state says so."""
    for path in done:
        running.wait_for(path)
    eventually(lambda: all(clip.state is State.DONE for clip in look(running)), "the clips are done")


def process_of(running: Up, kind: str) -> psutil.Process | None:
    """Return the process of a kind, None while there is none."""
    if kind == JOB:
        parent = process_of(running, "runner")
        return next(iter(_children(parent)), None) if parent else None
    wanted = KINDS[kind]
    for process in _children(running.process):
        try:
            if tuple(process.cmdline()[3 : 3 + len(wanted)]) == wanted or (
                kind == "dashboard" and "services.dashboard.serving" in process.cmdline()
            ):
                return process
        except psutil.NoSuchProcess:
            continue
    return None


def kill(running: Up, kind: str, measure: Measure) -> None:
    """Kill a process of a kind, and wait until there is another one; the time until then is measured.

    Of a clip's process only that it ends: it may be the last. Where there is none, its runner is killed.
    """
    if kind == JOB and _struck(running, JOB):
        return
    kind = "runner" if kind == JOB else kind
    eventually(lambda: process_of(running, kind) is not None, f"there is a {kind}")
    before, started = process_of(running, kind), time.monotonic()
    assert _struck(running, kind)
    eventually(lambda: process_of(running, kind) not in (None, before), f"there is another {kind}")
    measure(f"{kind} killed, another one runs after", time.monotonic() - started)


def _struck(running: Up, kind: str) -> bool:
    victim = process_of(running, kind)
    if victim is None:
        return False
    try:
        victim.kill()
    except psutil.NoSuchProcess:
        return False
    return True


def broker_process(running: Up) -> psutil.Process:
    """Return the embedded broker's process."""
    return psutil.Process(int(broker_of(running).client.info("server")["process_id"]))


def pause(seconds: float) -> None:
    """Let the run go on for a while before it is disturbed again."""
    threading.Event().wait(seconds)


def assert_settled(running: Up, *, kept: bool = True) -> None:
    """Every face counted once, every stream empty, nothing pending, nothing given up.

    Without `kept`, the streams of finished clips may have expired.
    """
    broker = broker_of(running)
    for clip in clips.recent(broker):
        assert (clip.state, clip.error, clip.pending, clip.failed) == (State.DONE, "", 0, 0)
        assert clip.done == clip.faces
        for stream, length in (
            (broker.keys.readings(clip.id), clip.faces),
            (broker.keys.neighbours(clip.id), clip.explained),
        ):
            assert broker.client.xlen(stream) in ((length,) if kept else (length, 0))
    for stream in (name for stage in Stage for name in sources.names(broker.keys, stage)):
        assert broker.client.xlen(stream) == 0
        assert broker.client.xpending_range(stream, work.GROUP, "-", "+", 10) == []
    assert {name: count for name, count in running.status()["queues"].items() if count} == {}


def assert_same(actual: pd.DataFrame, expected: pd.DataFrame) -> None:
    """The same rows, tracks and boxes, and probabilities equal to the rounding of 32-bit floats."""
    exact = [name for name in expected.columns if name not in MEASURED]
    pd.testing.assert_frame_equal(actual[exact], expected[exact])
    assert (actual[MEASURED] - expected[MEASURED]).abs().max().max() < PRECISION
    assert (actual[MEASURED].isna() == expected[MEASURED].isna()).all().all()


def timeline(running: Up, stem: str) -> pd.DataFrame:
    """Return the timeline of a clip that is done."""
    return pd.read_parquet(running.home / "results" / stem / "timeline.parquet")


def assert_nothing_left(running: Up) -> None:
    """No process of a home is left, and no clip waits in it."""
    assert [process.cmdline() for process in psutil.process_iter() if _belongs(process, running.home)] == []
    assert [path for path in (running.home / "incoming").iterdir() if not path.name.startswith(".")] == []
    assert not list((running.home / "results").glob(".*"))
    assert "Traceback" not in running.log.read_text()


def _belongs(process: psutil.Process, home: Path) -> bool:
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return process.environ().get("REELMOOD_HOME") == str(home) or process.cwd() == str(home / "broker")
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        children: list[psutil.Process] = process.children()
    except psutil.NoSuchProcess:
        return []
    return children
