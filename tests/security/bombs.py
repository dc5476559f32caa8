"""Pickles that make a folder when somebody loads them."""

import os
import pickle
from pathlib import Path


class Bomb:
    """An object whose pickle makes the folder `mark` as it is loaded."""

    def __init__(self, mark: Path) -> None:
        self._mark = str(mark)

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (self._mark,)


def bomb(mark: Path) -> bytes:
    """Return a pickle that makes the folder `mark` as it is loaded."""
    return pickle.dumps(Bomb(mark))
