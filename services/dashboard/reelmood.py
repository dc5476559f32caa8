"""The `reelmood` command, run for a person at the page: its checks and its answers hold here too."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.programs import program
from shared.errors import ReelmoodError
from shared.settings import Settings

CORRECTIONS: Final = "corrections"
DATASETS: Final = ("fer2013", "rafdb", "affectnet7", "affectnet8", "ckplus", "folder", CORRECTIONS)
PRESETS: Final = ("modern", "standard", "augmented", "balanced", "cb", "all")

_LONGEST_S: Final = 300
_SAYS: Final = "reelmood: "


@dataclass(frozen=True)
class Order:
    """A new run as the form has it; `votes` may be empty, and `data` for the corrections; `limit` 0: none."""

    name: str
    dataset: str
    data: str
    votes: str
    init: str
    preset: str
    epochs: int
    add_corrections: bool = False
    limit: int = 0


def train(settings: Settings, order: Order) -> str:
    """Queue a run and return what the command says. Raises ReelmoodError when it refuses."""
    if not order.data.strip() and order.dataset != CORRECTIONS:
        raise ReelmoodError("say where the data are")
    return _run(settings, *arguments(order))


def promote(settings: Settings, name: str) -> str:
    """Make a model the active one and return what the command says. Raises ReelmoodError when it refuses."""
    return _run(settings, "models", "promote", "--", name)


def roll_back(settings: Settings) -> str:
    """Take the last promotion back; return what the command says. Raises ReelmoodError when it refuses."""
    return _run(settings, "models", "rollback")


def cancel(settings: Settings, clip_id: str) -> str:
    """End what is done about a clip; return what the command says. Raises ReelmoodError when it refuses."""
    return _run(settings, "cancel", "--", clip_id)


def rerun(settings: Settings, clip_id: str, model: str | None = None) -> str:
    """Analyse a clip again; return what the command says. With a model, that is made the active one first.

    Raises ReelmoodError when a command refuses.
    """
    if model is not None:
        promote(settings, model)
    return _run(settings, "rerun", "--", clip_id)


def forget(settings: Settings, clip_id: str) -> str:
    """Remove every trace of a clip and return what the command says. Raises ReelmoodError when it refuses."""
    return _run(settings, "forget", "--yes", "--", clip_id)


def arguments(order: Order) -> list[str]:
    """Return the arguments that queue a run; each value is bound to its option, whatever it begins with."""
    options = {
        "name": order.name.strip(),
        "dataset": order.dataset,
        "init": order.init.strip(),
        "preset": order.preset,
        "epochs": str(order.epochs),
    }
    for name, path in (("data", order.data.strip()), ("votes", order.votes.strip())):
        if path:
            options[name] = str(Path(path).expanduser())
    if order.limit:
        options["limit"] = str(order.limit)
    switches = ["--add-corrections"] if order.add_corrections else []
    return ["train", "--enqueue", *(f"--{name}={value}" for name, value in options.items()), *switches]


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
