"""The files under test, read."""

from pathlib import Path
from typing import Any, Final

import typer
import yaml

from services.cli import app

ROOT: Final = Path(__file__).resolve().parents[2]
DEPLOY: Final = ROOT / "deploy"


def read_yaml(path: Path) -> Any:
    """Parse a file of one YAML document."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def check_command(arguments: list[str]) -> None:
    """Parse a command line of `reelmood` without running it; raises click's UsageError or KeyError."""
    command = typer.main.get_group(app).commands[arguments[0]]
    with command.make_context(arguments[0], list(arguments[1:])):
        pass
