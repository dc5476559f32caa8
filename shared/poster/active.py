"""Which model is in use: `active.json` in the registry, a list of promotions, the last of which counts.

Hosts that share the models folder share the answer. Starts without torch.
"""

from pathlib import Path
from typing import Final, Literal

import msgspec

from shared.errors import ModelError
from shared.folders import write_whole
from shared.poster.config import ModelId, Name

ACTIVE: Final = "active"
"""The name that stands for whichever model is the active one."""
FIRST: Final = "nano"
"""The active model while none has been promoted."""
ACTIVE_FILE: Final = "active.json"
_KEPT: Final = 100


class Promotion(msgspec.Struct, frozen=True, kw_only=True):
    """A model that was made the active one: its name in the registry, and its id when it was promoted.

    `id` is None for the model that is active before any promotion, and after the last one is taken back.
    """

    name: Name
    id: ModelId | None = None


class _File(msgspec.Struct, frozen=True, kw_only=True):
    promotions: list[Promotion]
    format_version: Literal[1] = 1


NOTHING_PROMOTED: Final = Promotion(name=FIRST)


def read_promotions(models: Path | None) -> list[Promotion]:
    """Return the promotions, the oldest first; never none: they begin with `NOTHING_PROMOTED`.

    Raises ModelError when the file cannot be read or is damaged.
    """
    if models is None:
        return [NOTHING_PROMOTED]
    file = models / ACTIVE_FILE
    try:
        return decode_promotions(file.read_bytes(), str(file))
    except FileNotFoundError:
        return [NOTHING_PROMOTED]
    except OSError as error:
        raise ModelError(f"{file} cannot be read: {error.strerror}") from error


def decode_promotions(data: bytes, source: str) -> list[Promotion]:
    """Return the promotions in `data`, as `read_promotions`; `source` names it in messages.

    Raises ModelError when it is damaged.
    """
    try:
        return [NOTHING_PROMOTED, *msgspec.json.decode(data, type=_File).promotions]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ModelError(
            f"{source} does not say which model is active ({error}): remove it and promote one again"
        ) from error


def active(models: Path | None) -> Promotion:
    """Return the promotion that counts. Raises ModelError as `read_promotions`."""
    return read_promotions(models)[-1]


def write_promotions(models: Path, promotions: list[Promotion]) -> None:
    """Replace the promotions, whole or not at all; of a long list the latest are kept.

    Raises ModelError when the file cannot be written.
    """
    file = models / ACTIVE_FILE
    kept = [one for one in promotions if one.id is not None][-_KEPT:]
    try:
        models.mkdir(parents=True, exist_ok=True)
        write_whole(file, msgspec.json.format(msgspec.json.encode(_File(promotions=kept)), indent=2) + b"\n")
    except OSError as error:
        raise ModelError(f"{file} cannot be written: {error.strerror}") from error
