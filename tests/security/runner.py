"""A runner of the ingest queue, as a process of its own."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shared.settings import Settings, environment_of
from tests.integration.reelmood import COMMAND


@contextmanager
def runner(settings: Settings, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run it until the block ends."""
    environment = {**os.environ, **environment_of(settings)}
    with log.open("wb") as file:
        command = [*COMMAND, "ingest", "--part", "runner"]
        process = subprocess.Popen(command, env=environment, stdout=file, stderr=file)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)
