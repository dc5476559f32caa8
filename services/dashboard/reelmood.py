"""The `reelmood` command, run for a person at the page: its checks and its answers hold here too."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.programs import program
from shared.errors import ReelmoodError
from shared.settings import Settings

DATASETS: Final = ("fer2013", "rafdb", "affectnet7", "affectnet8", "ckplus", "folder")
PRESETS: Final = ("modern", "standard", "augmented", "balanced", "cb", "all")

_LONGEST_S: Final = 300
_SAYS: Final = "reelmood: "


@dataclass(frozen=True)
class Order:
    """A new run as the form has it; `votes` may be empty."""

    name: str
    dataset: str
    data: str
    votes: str
    init: str
    preset: str
    epochs: int


def train(settings: Settings, order: Order) -> str:
    """Queue a run and return what the command says. Raises ReelmoodError when it refuses."""
    if not order.data.strip():
        raise ReelmoodError("say where the data are")
    return _run(settings, *arguments(order))


def promote(settings: Settings, name: str) -> str:
    """Make a model the active one and return what the command says. Raises ReelmoodError when it refuses."""
    return _run(settings, "models", "promote", "--", name)


def arguments(order: Order) -> list[str]:
    """Return the arguments that queue a run; each value is bound to its option, whatever it begins with."""
    options = {
        "name": order.name.strip(),
        "dataset": order.dataset,
        "data": str(Path(order.data.strip()).expanduser()),
        "init": order.init.strip(),
        "preset": order.preset,
        "epochs": str(order.epochs),
    }
    if order.votes.strip():
        options["votes"] = str(Path(order.votes.strip()).expanduser())
    return ["train", "--enqueue", *(f"--{name}={value}" for name, value in options.items())]


def _run(settings: Settings, *arguments: str) -> str:
    command = program(settings, "dashboard", *arguments)
    try:
        answer = subprocess.run(
            command.command,
            env={**os.environ, **command.environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_LONGEST_S,
            check=False,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise ReelmoodError(f"the command could not be run: {error}") from None
    if answer.returncode:
        lines = answer.stderr.strip().splitlines() or [f"the command ended with {answer.returncode}"]
        raise ReelmoodError(
            next((each for each in lines if each.startswith(_SAYS)), lines[-1]).removeprefix(_SAYS)
        )
    return answer.stdout.strip()
