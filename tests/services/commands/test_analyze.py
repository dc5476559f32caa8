"""What `reelmood analyze` orders; the runs themselves are in tests/integration."""

import os
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from threading import Event

import pytest

from services.commands import analyze
from shared.folders import printable
from shared.queues import clips
from shared.queues.broker import Broker
from shared.queues.clips import Clip, State
from shared.settings import Settings
from tests.services.commands.conftest import Reelmood


@pytest.mark.parametrize(
    ("option", "annotate", "blur"),
    [(None, False, False), ("--annotate", True, False), ("--blur", True, True)],
)
def test_blur_implies_an_annotated_video(
    option: str | None,
    annotate: bool,
    blur: bool,
    reelmood: Reelmood,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    ordered: list[Clip] = []

    def look_only(_settings: Settings, _broker: Broker, asked: Mapping[str, Clip], _stop: Event) -> object:
        ordered.extend(asked.values())
        return {}

    monkeypatch.setattr(analyze, "_running", lambda *_: nullcontext())
    monkeypatch.setattr(analyze, "_follow", look_only)
    path = tmp_path / "a.mp4"
    path.write_bytes(b"content")
    arguments = ["analyze", path, "--out", tmp_path / "out", *([option] if option else [])]
    assert reelmood(*arguments).code == 0
    [clip] = ordered
    assert (clip.annotate, clip.blur, clip.keep_source) == (annotate, blur, True)


@pytest.mark.parametrize("name", ["[red] [bold].mp4", "\x1b[2J\x07.mp4", "a\nb.mp4"])
def test_a_name_steers_neither_the_bar_nor_the_terminal(
    name: str, reelmood: Reelmood, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(b"no video")
    monkeypatch.setattr(analyze, "_running", lambda *_: nullcontext())
    original = analyze._follow

    def follow(settings: Settings, broker: Broker, ordered: Mapping[str, Clip], stop: Event) -> object:
        for clip in ordered.values():
            clips.create(broker, clip)
            clips.update(broker, clip.id, state=State.FAILED, error="not [/a] video")
        return original(settings, broker, ordered, stop)

    monkeypatch.setattr(analyze, "_follow", follow)
    answer = reelmood("analyze", tmp_path / name, "--out", tmp_path / "out")
    assert answer.code == 1, answer.err
    assert answer.out == printable(f"{tmp_path / name}: not [/a] video") + "\n"


def test_a_path_that_is_no_unicode_is_one_line(reelmood: Reelmood, tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/\xff.mp4"
    Path(os.fsdecode(path)).write_bytes(b"content")
    answer = reelmood("analyze", os.fsdecode(path))
    assert (answer.code, answer.err.count("\n")) == (2, 1)
    assert "not valid Unicode" in answer.err
