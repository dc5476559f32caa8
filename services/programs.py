"""The processes that Reelmood consists of, as commands."""

import sys
from collections.abc import Sequence
from dataclasses import replace

from services.supervisor import Program
from shared.settings import Settings, environment_of

_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
"""Two compute processes with two threads each on two cores wait for each other: we scale by processes."""


def program(settings: Settings, name: str, *arguments: str) -> Program:
    """Return a `reelmood` command as a program, running under these settings."""
    command = [sys.executable, "-m", "services.cli", *arguments]
    return Program(name, command, {**environment_of(settings), **_ONE_THREAD})


def ingest(settings: Settings, *, watch: bool) -> list[Program]:
    """Return the programs that take clips in; without `watch`, only those that others queue."""
    runner = program(settings, "ingest", "ingest", "--part", "runner")
    return [program(settings, "watcher", "ingest", "--part", "watcher"), runner] if watch else [runner]


def workers(settings: Settings, count: int) -> list[Program]:
    """Return `count` workers with stable names."""
    return [
        program(settings, f"worker-{number}", "worker", "--slot", str(number))
        for number in range(1, count + 1)
    ]


def analysis(settings: Settings, count: int, *, watch: bool, train: bool = False) -> list[Program]:
    """Return all programs from clip to files, with `count` workers; with `train`, a trainer too.

    Workers come last, so that another one moves nobody's metrics port.
    """
    everything = [
        *ingest(settings, watch=watch),
        program(settings, "retrieval", "retrieval"),
        program(settings, "recorder", "recorder"),
        *([program(settings, "trainer", "trainer")] if train else []),
        *workers(settings, count),
    ]
    return on_ports(settings, everything)


def on_ports(settings: Settings, programs: Sequence[Program]) -> list[Program]:
    """Return the programs with ports for their metrics, one after the other from `settings.metrics_port` on.

    They have none where that is 0.
    """
    first = settings.metrics_port
    return [
        replace(one, environment={**one.environment, "REELMOOD_METRICS_PORT": str(first and first + place)})
        for place, one in enumerate(programs)
    ]
