"""The summary of a finished clip: a file of its results folder."""

from typing import Final

SUMMARY: Final = "summary.json"
"""`docs/files.md` says what it holds. A folder without it is no result: in the store it is written last."""
