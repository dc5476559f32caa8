"""The supervisor restarts what dies, stops everything, and gives up on what cannot run."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from services.supervisor import Program, supervise
from shared.errors import ReelmoodError

SLEEPER = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
open(sys.argv[1], "a").write(f"{os.getpid()}\\n")
time.sleep(600)
"""


def _program(name: str, code: str, *arguments: str) -> Program:
    return Program(name, [sys.executable, "-c", code, *arguments], {})


@contextmanager
def _supervised(*programs: Program) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=supervise, args=(programs, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _eventually(condition: Callable[[], bool]) -> None:
    """Wait for what must come; the bound only keeps a broken test from hanging."""
    pause = threading.Event()
    for _ in range(6000):
        if condition():
            return
        pause.wait(0.01)
    pytest.fail("it did not happen")


def _pids(log: Path) -> list[int]:
    return [int(line) for line in log.read_text().splitlines()] if log.exists() else []


def test_a_killed_program_is_started_again_and_the_others_stay(tmp_path: Path) -> None:
    killed, other = tmp_path / "killed", tmp_path / "other"
    with _supervised(_program("a", SLEEPER, str(killed)), _program("b", SLEEPER, str(other))):
        _eventually(lambda: bool(_pids(killed) and _pids(other)))
        os.kill(_pids(killed)[0], signal.SIGKILL)
        _eventually(lambda: len(_pids(killed)) == 2)
        assert len(_pids(other)) == 1
    assert not any(psutil.pid_exists(pid) for pid in _pids(killed) + _pids(other))


def test_a_program_that_cannot_run_ends_everything(tmp_path: Path) -> None:
    log = tmp_path / "log"
    programs = [_program("fine", SLEEPER, str(log)), _program("broken", "raise SystemExit(2)")]
    with pytest.raises(ReelmoodError, match="broken cannot run"):
        supervise(programs, threading.Event())
    assert not any(psutil.pid_exists(pid) for pid in _pids(log))


@pytest.mark.skipif(sys.platform != "linux", reason="needs prctl")
def test_programs_end_with_a_killed_supervisor(tmp_path: Path) -> None:
    log = tmp_path / "log"
    code = (
        "import sys, threading\n"
        "from services.supervisor import Program, supervise\n"
        "supervise([Program('a', [sys.executable, '-c', sys.argv[1], sys.argv[2]], {})], threading.Event())"
    )
    parent = psutil.Popen([sys.executable, "-c", code, SLEEPER, str(log)])
    _eventually(lambda: bool(_pids(log)))
    parent.kill()
    parent.wait()
    _eventually(lambda: not psutil.pid_exists(_pids(log)[0]) or _is_zombie(_pids(log)[0]))


def _is_zombie(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
