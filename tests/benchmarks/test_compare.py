"""The pipeline beside its rivals."""

import stat
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from benchmarks import compare, pipeline
from benchmarks.compare import Read, row_of
from benchmarks.house import House


def read(frames_per_s: float, faces: int = 7) -> Read:
    return Read(frames=60, faces=faces, seconds=60 / frames_per_s)


def test_the_ratio_is_the_median_of_the_rounds() -> None:
    row = row_of("clip", "fer", [read(60), read(30), read(90)], [read(20, 5), read(15, 5), read(10, 5)])
    assert row.speedup == pytest.approx(3)
    assert row.speedup_by_round == pytest.approx((3, 2, 9))
    assert [row.lowest, row.highest] == pytest.approx([2, 9])
    assert [row.frames_per_s, row.rival_frames_per_s] == pytest.approx([60, 15])
    assert (row.faces, row.rival_faces) == (7, 5)


def test_all_read_the_same_clip_in_turn(
    opened: tuple[House, dict[str, Path]],
    settings_of_house: pipeline.Settings,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    stand_in: Path,
) -> None:
    monkeypatch.setattr(pipeline, "opened", lambda *_: nullcontext(opened))
    settings = compare.Settings(pipeline=settings_of_house, rounds=1, fer_python=str(stand_in))
    measured = compare.measure(settings, tmp_path, lambda _: None)
    naive, fer = measured.rows
    assert (naive.rival, fer.rival) == ("naive", "fer")
    # The paper's loop reads the first face of each frame only.
    assert (naive.faces, naive.rival_faces) == (24, 12)
    assert fer.rival_frames_per_s == pytest.approx(48)
    assert fer.speedup == pytest.approx(measured.clips[0].frames_per_s / 48)


@pytest.fixture
def stand_in(tmp_path: Path) -> Path:
    """An interpreter that answers as the one with `fer` would, 12 frames in a quarter of a second."""
    path = tmp_path / "python"
    path.write_text(
        f"#!{sys.executable}\n"
        "import json, sys\n"
        "told = {'clip': sys.argv[-1], 'frames': 12, 'faces': 24, 'seconds': 0.25}\n"
        "print('fer 1' if sys.argv[1] == '-c' else json.dumps(told))\n"
    )
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path
