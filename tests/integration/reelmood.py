"""The `reelmood` command as a person runs it: a process of its own."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

COMMAND = (sys.executable, "-m", "services.cli")
_LONGEST_S = 600


def run(*arguments: str | Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        env=_environment(environment),
        capture_output=True,
        text=True,
        timeout=_LONGEST_S,
        check=False,
    )


def eventually(condition: Callable[[], bool], what: str) -> None:
    """Wait for what must come; the bound only keeps a broken run from hanging."""
    pause = threading.Event()
    for _ in range(10 * _LONGEST_S):
        if condition():
            return
        pause.wait(0.1)
    pytest.fail(f"{what} did not happen")


@dataclass
class Up:
    """A running `reelmood up`."""

    home: Path
    process: psutil.Popen
    log: Path
    environment: Mapping[str, str]

    def status(self) -> dict[str, Any]:
        """Return what `reelmood status --json` says."""
        answer = run("status", "--json", **self.environment)
        assert answer.returncode == 0, answer.stderr
        status: dict[str, Any] = json.loads(answer.stdout)
        return status

    def workers(self) -> list[int]:
        """Return the process ids of the workers that have said they are alive."""
        return [one["pid"] for one in self.status()["services"] if one["kind"] == "worker"]

    def processes(self) -> list[psutil.Process]:
        """Return all processes below this one."""
        children: list[psutil.Process] = self.process.children(recursive=True)
        return children

    def wait_for_line(self, text: str) -> None:
        """Wait until the log holds a text."""

        def there() -> bool:
            lines = self.log.read_text()
            assert self.process.poll() is None or text in lines, lines
            return text in lines

        eventually(there, f"the log line {text}")

    def wait_for(self, path: Path) -> None:
        """Wait until a file of this home exists."""

        def there() -> bool:
            assert self.process.poll() is None, self.log.read_text()
            return path.exists()

        eventually(there, f"{path.name} in {path.parent}")


@contextmanager
def up(home: Path, *arguments: str, port: int, **environment: str) -> Iterator[Up]:
    """Run `reelmood up`, and end it with Ctrl-C's signal."""
    home.mkdir(parents=True, exist_ok=True)
    log = home / "up.log"
    with log.open("w") as file:
        process = psutil.Popen(
            [*COMMAND, "up", "--port", str(port), *arguments],
            env=_environment({"REELMOOD_HOME": str(home), **environment}),
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    running = Up(home, process, log, {"REELMOOD_HOME": str(home), **environment})
    try:
        running.wait_for_line("dashboard at")
        yield running
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def _environment(extra: Mapping[str, str]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("REELMOOD_")}
    return {**inherited, "OMP_NUM_THREADS": "1", **extra}
