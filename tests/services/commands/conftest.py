"""The command line, called in this process."""

import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from services import cli
from shared.settings import Settings, environment_of


@dataclass(frozen=True)
class Answer:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


Reelmood = Callable[..., Answer]


@pytest.fixture
def reelmood(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Reelmood:
    """Run `reelmood ARGUMENTS…` under the test's settings."""
    for name, value in environment_of(settings).items():
        monkeypatch.setenv(name, value)

    def run(*arguments: object) -> Answer:
        monkeypatch.setattr(sys, "argv", ["reelmood", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        code = ended.value.code
        return Answer(code if isinstance(code, int) else 0, printed.out, printed.err)

    return run
