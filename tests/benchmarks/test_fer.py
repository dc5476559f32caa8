"""The `fer` package in an environment of its own; a stand-in takes its place."""

import json
import stat
import sys
from pathlib import Path
from types import ModuleType

import pytest

from benchmarks import fer, fer_loop
from benchmarks.fer import Pass, Settings, measure, summarise
from shared.errors import ClipError, ReelmoodError


class Faces:
    """What the script uses of `fer.fer.FER`: finds two faces in every picture."""

    def __init__(self, mtcnn: bool) -> None:
        assert not mtcnn

    def detect_emotions(self, image: object) -> list[str]:
        return ["one", "other"]


def interpreter(path: Path, body: str) -> Path:
    path.write_text(f"#!{sys.executable}\nimport sys\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_the_script_reads_every_frame_of_every_clip(
    two_faces: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    package = ModuleType("fer.fer")
    package.FER = Faces  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "fer", ModuleType("fer"))
    monkeypatch.setitem(sys.modules, "fer.fer", package)
    fer_loop.main([str(two_faces), str(two_faces)])
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["frames"], row["faces"]) for row in rows] == [(12, 24)] * 2
    assert all(row["seconds"] > 0 for row in rows)


def test_figures_come_from_the_other_interpreter(two_faces: Path, tmp_path: Path) -> None:
    answer = "print('fer 1' if sys.argv[1] == '-c' else"
    answer += """ '{"clip": "c", "frames": 12, "faces": 6, "seconds": 0.5}')"""
    python = interpreter(tmp_path / "python", answer)
    measured = measure(Settings(clips=(str(two_faces),), python=str(python), repeats=1), lambda _: None)
    (row,) = measured.clips
    assert (measured.versions, row.clip, row.frames, row.faces) == ("fer 1", "two faces.mp4", 12, 6)
    assert (row.frames_per_s, row.faces_per_s) == (24, 12)


def test_figures_are_medians() -> None:
    runs = [Pass(clip="c", frames=60, faces=30, seconds=seconds) for seconds in (1, 2, 3)]
    row = summarise("c", runs)
    assert (row.frames_per_s, row.faces_per_s, row.frames_per_s_by_run) == (30, 15, (60, 30, 20))


def test_what_is_missing_or_fails_is_one_line(two_faces: Path, tmp_path: Path) -> None:
    with pytest.raises(ReelmoodError, match="make bench-fer"):
        fer.find_versions(tmp_path / "python")
    broken = interpreter(tmp_path / "broken", "sys.exit('no tensorflow here')")
    with pytest.raises(ReelmoodError, match="fer does not run: no tensorflow here"):
        fer.read(two_faces, broken)
    with pytest.raises(ClipError, match="there is no file"):
        measure(Settings(clips=(str(tmp_path / "gone.mp4"),)), lambda _: None)
