"""The record of a finished run, that lies beside its model: what was done, with which data and which code."""

import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import msgspec
import torch

from training.spec import RunSpec

RECORD_FILE: Final = "training.json"
_ROOT: Final = Path(__file__).resolve().parents[1]


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One run. `torch`, `finished` (UTC, RFC 3339) and `code` say themselves what wrote it, and when.

    `base` is the id of the model that it began with; `fingerprint` the data set's, SHA-256 in hex; `pictures`
    how many were trained on; `best_epoch` the one whose weights were kept, of `epochs`, from 1; `figures`
    that epoch's row of the history; `seconds` the time of all epochs.
    """

    spec: RunSpec
    base: str
    fingerprint: str
    pictures: int
    epochs: int
    best_epoch: int
    seconds: float
    figures: dict[str, float]
    device: str
    processes: int
    code: str = msgspec.field(default_factory=lambda: code_version())
    torch: str = str(torch.__version__)
    finished: str = msgspec.field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))


def encode_record(record: Record) -> bytes:
    """Return a record as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n"


def code_version(root: Path = _ROOT) -> str:
    """Return the version of Reelmood and, in a checkout, the revision of git, marked if files are changed."""
    try:
        released = version("reelmood")
    except PackageNotFoundError:
        released = "unknown"
    if not (root / ".git").exists():
        return released
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--exclude=*"]
    try:
        described = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return released
    return f"{released} ({described.stdout.strip()})"
