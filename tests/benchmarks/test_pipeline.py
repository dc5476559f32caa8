"""The benchmark of the whole pipeline: one real run, and figures from runs made by hand."""

from contextlib import nullcontext
from pathlib import Path

import psutil
import pytest

from benchmarks import pipeline
from benchmarks.house import House
from benchmarks.pipeline import Run, Settings, row_of, run_clip, stage_rows
from shared.errors import ReelmoodError
from tests.benchmarks.conftest import FRAMES
from tests.clips import write_sound

Opened = tuple[House, dict[str, Path]]


def made(seconds: float, worker_s: float) -> Run:
    """A run of 100 frames with 50 faces, in which ingest computed for a second."""
    return Run(
        frames=100,
        faces=50,
        explained=5,
        seconds=seconds,
        files_s=0.5,
        latencies_s=(0.1, 0.3),
        steps_s={"ingest decode": 0.4, "ingest wait": 0.2, "worker align": 0.6},
        cpu_s={"ingest": 1.0, "worker": worker_s},
    )


def test_a_run_counts_what_went_through(opened: Opened) -> None:
    running, paths = opened
    run = run_clip(running, paths["two faces.mp4"])
    # Two tracks, each explained at its first face, and the clip is shorter than half a second.
    assert (run.frames, run.faces, run.explained) == (FRAMES, 2 * FRAMES, 2)
    assert len(run.latencies_s) == run.faces
    assert 0 < min(run.latencies_s) <= max(run.latencies_s) < run.seconds
    assert run.cpu_s.keys() == {"broker", "watcher", "ingest", "worker", "retrieval", "recorder"}
    steps = {"ingest decode", "ingest detect", "worker align", "worker explain", "worker classify"}
    assert steps | {"retrieval search", "recorder tables"} <= run.steps_s.keys()
    assert all(run.steps_s[step] > 0 for step in steps)
    row = row_of("two faces", [run], workers=1)
    assert row.frames_per_s == pytest.approx(FRAMES / run.seconds)
    assert row.faces_per_s == pytest.approx(2 * row.frames_per_s)


def test_a_benchmark_measures_each_clip_and_says_on_what(
    opened: Opened,
    settings_of_house: Settings,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(pipeline, "opened", lambda *_: nullcontext(opened))
    told: list[str] = []
    measured = pipeline.measure(settings_of_house, tmp_path, told.append)
    assert len(told) == 1
    (row,) = measured.clips
    assert (row.clip, row.frames, row.faces) == ("two faces.mp4", FRAMES, 2 * FRAMES)
    assert measured.model.startswith("nano@")
    assert {stage.stage for stage in measured.stages if stage.busy is not None} >= {"ingest", "worker"}


def test_a_clip_that_is_none_fails_with_its_reason(opened: Opened, tmp_path: Path) -> None:
    with pytest.raises(ReelmoodError, match="no video stream"):
        run_clip(opened[0], write_sound(tmp_path / "sound.m4a"))


def test_figures_are_medians_and_the_bottleneck_is_the_busiest_stage(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(psutil, "cpu_count", lambda: 2)
    runs = [made(2.0, 1.8), made(4.0, 3.6), made(2.5, 2.0)]
    row = row_of("clip", runs, workers=1)
    assert row.frames_per_s == 40
    assert row.faces_per_s == 20
    assert list(row.frames_per_s_by_run) == [50, 25, 40]
    assert row.bottleneck == "worker"
    # (1 + 1.8) / 2 / 2 = 0.7, (1 + 3.6) / 4 / 2 = 0.575, (1 + 2) / 2.5 / 2 = 0.6.
    assert row.cores_busy == pytest.approx(0.6)
    assert [row.latency_p50_s, row.latency_p95_s] == pytest.approx([0.2, 0.3])
    # Three workers share 1.8 of 2 s, and then ingest with 1 s of 2 is busier than each of them.
    assert row_of("clip", runs, workers=3).bottleneck == "ingest"


def test_stages_are_told_with_their_steps() -> None:
    rows = stage_rows("clip", [made(2.0, 1.8)], workers=1)
    told = [(row.stage, row.step, row.busy) for row in rows]
    assert told == [
        ("ingest", "", 0.5),
        ("ingest", "decode", None),
        ("ingest", "wait", None),
        ("worker", "", 0.9),
        ("worker", "align", None),
    ]
    assert [row.ms_a_frame for row in rows] == pytest.approx([10, 4, 2, 18, 6])


def test_a_clip_without_faces_has_no_latency() -> None:
    empty = Run(
        frames=9, faces=0, explained=0, seconds=1, files_s=0, latencies_s=(), steps_s={}, cpu_s={"ingest": 1}
    )
    row = row_of("clip", [empty], workers=1)
    assert (row.latency_p50_s, row.latency_p95_s, row.faces_per_s) == (None, None, 0)


def test_a_file_that_is_not_there_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(ReelmoodError, match="there is no file"):
        pipeline.measure(Settings(clips=(str(tmp_path / "gone.mp4"),)), tmp_path, lambda _: None)
