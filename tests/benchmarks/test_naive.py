"""The paper's own loop."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.models import Choice
from benchmarks.naive import NaiveLoop, Pass, Settings, measure, summarise
from shared.errors import ClipError
from shared.poster import load
from shared.poster.config import Preprocessing
from tests.clips import draw, write_clip


@pytest.fixture(scope="module")
def loop() -> NaiveLoop:
    return NaiveLoop(load("nano"), Preprocessing())


def test_it_reads_one_face_a_frame(loop: NaiveLoop, tmp_path: Path) -> None:
    frames = [draw((80, 90, 90), (230, 90, 90), width=320, height=180)] * 3
    frames += [draw(width=320, height=180)] * 2
    run = loop.read(write_clip(tmp_path / "clip.mp4", frames))
    assert (run.frames, run.faces) == (5, 3)
    parts = run.decode_s + run.detect_s + run.align_s + run.model_s
    assert parts == pytest.approx(run.seconds)
    assert min(run.decode_s, run.detect_s, run.align_s, run.model_s) > 0


def test_figures_are_medians_and_times_add_up_to_a_frame() -> None:
    runs = [
        Pass(
            frames=10,
            faces=5,
            seconds=s,
            decode_s=0.1 * s,
            detect_s=0.2 * s,
            align_s=0.3 * s,
            model_s=0.4 * s,
        )
        for s in (1.0, 5.0, 2.0)
    ]
    row = summarise("clip", runs)
    assert (row.frames_per_s, row.faces_per_s) == (5, 2.5)
    assert list(row.frames_per_s_by_run) == [10, 2, 5]
    times = [row.decode_ms, row.detect_ms, row.align_ms, row.model_ms]
    np.testing.assert_allclose(times, [20, 40, 60, 80])


def test_what_is_no_clip_is_refused(loop: NaiveLoop, tmp_path: Path) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("no video")
    with pytest.raises(ClipError, match="no frame"):
        loop.read(text)
    gone = Settings(clips=(str(tmp_path / "gone.mp4"),), model=Choice(name="nano"))
    with pytest.raises(ClipError, match="there is no file"):
        measure(gone, tmp_path, lambda _: None)
