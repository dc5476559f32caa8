"""Read the results of Reelmood into pandas: `reelmood.read("data")`."""

from shared.emotions import COLOURS, EMOTIONS
from shared.errors import DataError
from shared.reader import read, summary

__all__ = ["COLOURS", "EMOTIONS", "DataError", "read", "summary"]
