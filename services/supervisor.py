"""Keeps the processes of one machine running: starts them, restarts what dies, stops them all."""

import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from shared.errors import ReelmoodError
from shared.process import die_with_parent

logger = logging.getLogger(__name__)

_LOOK_S: Final = 0.1
_STOP_S: Final = 10.0
_BACKOFF_S: Final = (0.2, 1.0, 5.0, 15.0)
_HEALTHY_S: Final = 30.0


@dataclass(frozen=True)
class Program:
    """A process to keep running. `name` stands in the log, `environment` is added to this process's own."""

    name: str
    command: Sequence[str]
    environment: dict[str, str]


@dataclass
class _Running:
    program: Program
    process: "subprocess.Popen[bytes]"
    started: float
    failures: int = 0
    due: float | None = None
    """When to start it again; None while it runs."""


def supervise(programs: Sequence[Program], stop: threading.Event) -> None:
    """Run the programs until `stop` is set, then end them: SIGTERM, and SIGKILL after 10 s.

    A program that ends is started again, after a pause that grows while it keeps failing. They also end when
    this process is killed. Raises ReelmoodError when one ends with that error's exit code: it has already
    said what is wrong with the set-up, and starting it again would not mend it.
    """
    running = [_Running(program, _start(program), time.monotonic()) for program in programs]
    try:
        while not stop.wait(_LOOK_S):
            for one in running:
                _look_after(one)
    finally:
        _stop([one.process for one in running])


def _start(program: Program) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        program.command,
        env={**os.environ, **program.environment},
        stdin=subprocess.DEVNULL,
        process_group=0,
        preexec_fn=die_with_parent,
    )


def _look_after(one: _Running) -> None:
    now = time.monotonic()
    if one.due is not None:
        if now >= one.due:
            one.process, one.started, one.due = _start(one.program), now, None
        return
    code = one.process.poll()
    if code is None:
        return
    if code == ReelmoodError.exit_code:
        raise ReelmoodError(f"{one.program.name} cannot run, its line above says why")
    one.failures = 0 if now - one.started > _HEALTHY_S else one.failures + 1
    pause = _BACKOFF_S[min(one.failures, len(_BACKOFF_S) - 1)]
    how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    logger.warning("%s ended with %s, starting it again in %g s", one.program.name, how, pause)
    one.due = now + pause


def _stop(processes: Sequence["subprocess.Popen[bytes]"]) -> None:
    for process in processes:
        if process.poll() is None:
            process.terminate()
    deadline = time.monotonic() + _STOP_S
    for process in processes:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            logger.warning("process %d did not stop in %g s, killing it", process.pid, _STOP_S)
            process.kill()
            process.wait()
