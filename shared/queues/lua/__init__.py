"""The Lua scripts, each one atomic step on the broker."""

from functools import cache
from importlib.resources import files


@cache
def source(name: str) -> str:
    """Return the text of a script of this folder."""
    return (files(__name__) / f"{name}.lua").read_text()
