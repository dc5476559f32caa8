"""Log lines for people and for machines."""

import json
import logging
import os
import sys
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.logs import JsonFormatter, about, configure


def _record(message: str, *arguments: object, failed: bool = False) -> logging.LogRecord:
    problem = None
    if failed:
        try:
            raise ValueError("two\nlines")
        except ValueError:
            problem = sys.exc_info()
    return logging.LogRecord("services.x", logging.WARNING, "x.py", 1, message, arguments, problem)


def _line(record: logging.LogRecord) -> dict[str, object]:
    text = JsonFormatter().format(record)
    assert "\n" not in text
    line: dict[str, object] = json.loads(text)
    return line


def test_a_line_of_json_has_what_machines_look_for() -> None:
    line = _line(_record("%d faces", 3))
    moment = datetime.fromisoformat(str(line.pop("time")))
    assert moment.tzinfo is not None
    assert line == {"level": "warning", "logger": "services.x", "pid": os.getpid(), "message": "3 faces"}


def test_lines_about_a_clip_carry_its_id() -> None:
    with about("c1"):
        assert _line(_record("inside"))["clip"] == "c1"
        with about("c2"):
            assert _line(_record("further inside"))["clip"] == "c2"
        assert _line(_record("inside again"))["clip"] == "c1"
    assert "clip" not in _line(_record("outside"))


def test_a_traceback_stays_in_its_line() -> None:
    line = _line(_record("it failed", failed=True))
    assert "ValueError: two\nlines" in str(line["error"])


@given(st.text())
def test_any_text_survives(text: str) -> None:
    assert _line(_record("%s", text))["message"] == text


def test_a_name_that_is_no_unicode_is_still_a_line() -> None:
    assert _line(_record("%s", "a\udcff.mp4"))["message"] == r"a\udcff.mp4"


@pytest.mark.parametrize("form", ["text", "json"])
def test_each_event_is_one_line(
    form: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = logging.RootLogger(logging.WARNING)
    monkeypatch.setattr(logging, "root", root)
    configure("info", form)
    root.debug("not shown")
    root.info("a.mp4: 30 frames decoded")
    (line,) = capsys.readouterr().err.splitlines()
    if form == "json":
        assert json.loads(line)["message"] == "a.mp4: 30 frames decoded"
    else:
        assert line.endswith("  a.mp4: 30 frames decoded")
