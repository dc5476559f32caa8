"""What a clip may take: a decoder that does not come back ends, and the clip has its reason."""

import multiprocessing
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

from services.ingest import limits
from services.ingest.limits import open_within_limits
from services.ingest.oversight import Oversight, oversee
from shared.process import computing_at_most
from shared.queues import clips, jobs
from shared.queues.broker import Broker
from shared.queues.clips import Clip, State
from shared.queues.tasks import Task
from shared.settings import Settings, environment_of
from shared.video import DecodedFrame, Footage
from tests.clips import walk, write_clip

SPINNING_RUNNER = """
import contextlib, itertools, os
from services.ingest import job, limits
from shared.queues.broker import connect
from shared.queues.runner import run
from shared.queues.tasks import Task
from shared.settings import load_settings

@contextlib.contextmanager
def spin(path, start):
    for _ in itertools.count():
        pass
    yield

limits.open_clip = spin
run(connect(load_settings()), Task.INGEST, "runner")
"""


def _spin_in_python() -> None:
    while True:
        pass


def _spin_in_c() -> None:
    """Spend ages inside one call that never lets the interpreter run."""
    re.match(r"(a|a)+$", "a" * 200 + "b")


def _compute(spin: Callable[[], None]) -> None:
    with computing_at_most(0.5):
        spin()


@pytest.mark.parametrize("spin", [_spin_in_python, _spin_in_c])
def test_what_computes_too_long_is_ended_wherever_it_is(spin: Callable[[], None]) -> None:
    process = multiprocessing.get_context("fork").Process(target=_compute, args=(spin,))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGXCPU


def test_afterwards_the_process_may_compute_as_before() -> None:
    before = resource.getrlimit(resource.RLIMIT_CPU)
    with computing_at_most(1000):
        soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
        assert time.process_time() + 1000 <= soft <= time.process_time() + 1002
        with computing_at_most(10_000):
            assert resource.getrlimit(resource.RLIMIT_CPU) == (soft, hard)
    assert resource.getrlimit(resource.RLIMIT_CPU) == before


def test_a_clip_within_its_limits_gives_every_frame(settings: Settings, tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", walk(12))
    with open_within_limits(path, 0, settings) as footage:
        assert [frame.index for frame in footage.frames] == list(range(12))
    with open_within_limits(path, 7, settings) as footage:
        assert [frame.index for frame in footage.frames] == list(range(7, 12))
    assert footage.warnings == []


@pytest.mark.parametrize("start", [0, 3])
def test_a_clip_of_too_many_frames_is_cut_off_and_says_so(
    settings: Settings, tmp_path: Path, start: int
) -> None:
    path = write_clip(tmp_path / "a.mp4", walk(12))
    with open_within_limits(path, start, settings.model_copy(update={"max_frames": 5})) as footage:
        assert [frame.index for frame in footage.frames] == list(range(start, 5))
    assert footage.warnings == ["it is cut off after 5 frames (REELMOOD_MAX_FRAMES)"]


def test_slow_frames_use_up_what_quick_ones_saved(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock_s, allowed_s = [0.0], list[float]()

    def frames() -> Iterator[DecodedFrame]:
        for index, took_s in enumerate((0, 30, 30, 0, 0)):
            clock_s[0] += took_s
            yield DecodedFrame(index, 0.0, np.zeros((1, 1, 3), np.uint8))

    def limit(_: int, both: tuple[int, int]) -> None:
        if both[0] != resource.RLIM_INFINITY:
            allowed_s.append(both[0] - clock_s[0])

    monkeypatch.setattr(limits, "open_clip", lambda *_: nullcontext(Footage(1, 1, 0, frames())))
    monkeypatch.setattr(time, "process_time", lambda: clock_s[0])
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    monkeypatch.setattr(resource, "setrlimit", limit)
    bounds = {"decode_limit_s": 60, "decode_frame_s": 1}
    with open_within_limits(tmp_path, 0, settings.model_copy(update=bounds)) as footage:
        assert len(list(footage.frames)) == 5
    assert allowed_s == [60, 60, 60, 31, 2, 3, 4]


def test_a_clip_whose_decoder_never_comes_back_fails_with_its_reason(
    settings: Settings, broker: Broker
) -> None:
    settings = settings.model_copy(update={"decode_limit_s": 1.0})
    path = settings.incoming / "a.mp4"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"spins")
    clips.create(broker, Clip(id="c", name="a.mp4", path=str(path), results="/r", model="m"))
    jobs.enqueue(broker, Task.INGEST, "c")
    runner = subprocess.Popen(
        [sys.executable, "-c", SPINNING_RUNNER], env={**os.environ, **environment_of(settings)}
    )
    try:
        clip = _oversee_until_ended(settings, broker, runner)
    finally:
        runner.send_signal(signal.SIGTERM)
        runner.wait(20)
    assert (clip.state, clip.error) == (State.FAILED, jobs.OVERTIME)
    assert (settings.failed / "a.mp4").exists()
    assert (settings.failed / "a.mp4.error.json").exists()


def _oversee_until_ended(settings: Settings, broker: Broker, runner: "subprocess.Popen[bytes]") -> Clip:
    memory = Oversight()
    for _ in range(3000):
        oversee(settings, broker, memory, time.monotonic())
        clip = clips.get(broker, "c")
        if clip is not None and clip.state is State.FAILED:
            return clip
        try:
            runner.wait(0.02)
        except subprocess.TimeoutExpired:
            continue
        pytest.fail("the runner ended")
    pytest.fail("the clip did not end")
