import errno
import json
import time
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pandas as pd
import pyarrow.parquet as pq
import pytest
import webvtt

from services.recorder import annotate, files, job
from shared.errors import ClipError
from shared.messages import Explanation
from shared.queues import clips
from shared.queues.broker import Broker
from shared.queues.clips import State
from shared.settings import Settings, environment_of
from tests.services.recorder.analysed import TIMES, Ordered, content
from tests.services.recorder.makers import explanation, show_times


def test_a_finished_clip(settings: Settings, broker: Broker, ordered: Ordered) -> None:
    clip = ordered(name="films/clip.mp4", annotate=True, width=160, height=120)
    job.finish(settings, broker, clip.id)

    folder = settings.results / "clip"
    assert sorted(content(folder)) == [
        "annotated.mp4",
        "emotions.vtt",
        "moments.parquet",
        "summary.json",
        "thumbnails/track-0000.jpg",
        "timeline.csv",
        "timeline.parquet",
    ]
    assert (folder / "thumbnails" / "track-0000.jpg").read_bytes() == explanation().aligned
    first, second = webvtt.read(str(folder / "emotions.vtt"), strict=True).captions
    assert (first.start, first.end, first.text) == ("00:00:00.040", "00:00:00.080", "Track 0: happy 60%")
    assert second.text == "Track 1: sad 40%"
    table = pd.read_parquet(folder / "timeline.parquet")
    assert len(table) == 7
    assert table["frame"].nunique() == 6
    assert int(table["emotion"].notna().sum()) == 2
    (moment,) = pd.read_parquet(folder / "moments.parquet").to_dict("records")
    assert json.loads(moment["neighbours"])[0]["source"] == "other.mp4"
    summary = json.loads((folder / "summary.json").read_text())
    assert (summary["id"], summary["frames"], summary["faces"], summary["failed_faces"]) == (clip.id, 6, 3, 1)
    assert show_times(folder / "annotated.mp4") == pytest.approx(TIMES, abs=1e-4)

    assert (settings.done / "films" / "clip.mp4").is_file()
    assert not Path(clip.path).exists()
    done = clips.get(broker, clip.id)
    assert done is not None
    assert (done.state, done.out) == (State.DONE, str(folder))
    assert done.finished_s >= done.started_s > 0
    client: Any = broker.client
    assert 0 < client.ttl(broker.keys.readings(clip.id)) <= settings.keep_s


def test_a_blurred_clip_keeps_no_picture_of_a_face(
    settings: Settings, broker: Broker, ordered: Ordered
) -> None:
    clip = ordered(blur=True)
    job.finish(settings, broker, clip.id)
    kept = content(settings.results / "clip")
    assert sorted(kept) == [
        "emotions.vtt",
        "moments.parquet",
        "summary.json",
        "timeline.csv",
        "timeline.parquet",
    ]
    assert not any(explanation().aligned in file for file in kept.values())


def test_finishing_twice_changes_nothing(settings: Settings, broker: Broker, ordered: Ordered) -> None:
    clip = ordered()
    job.finish(settings, broker, clip.id)
    before = content(settings.results / "clip")
    job.finish(settings, broker, clip.id)
    assert content(settings.results / "clip") == before
    assert [path.name for path in settings.done.iterdir()] == ["clip.mp4"]


@pytest.mark.parametrize(
    ("module", "step"),
    [
        (annotate, "annotate_clip"),
        (files, "write_tables"),
        (files, "publish"),
        (job, "move"),
        (clips, "expire"),
    ],
)
@pytest.mark.parametrize("after", [False, True])
def test_killed_at_any_step_and_run_again(
    settings: Settings,
    broker: Broker,
    ordered: Ordered,
    monkeypatch: pytest.MonkeyPatch,
    module: object,
    step: str,
    after: bool,
) -> None:
    clip = ordered(annotate=True)
    real = getattr(module, step)

    def killed(*arguments: object, **named: object) -> object:
        if after:
            real(*arguments, **named)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(module, step, killed)
        with pytest.raises(KeyboardInterrupt):
            job.finish(settings, broker, clip.id)
    job.finish(settings, broker, clip.id)

    assert [path.name for path in settings.results.iterdir()] == ["clip"]
    assert "annotated.mp4" in content(settings.results / "clip")
    assert [path.name for path in settings.done.iterdir()] == ["clip.mp4"]
    assert not Path(clip.path).exists()
    done = clips.get(broker, clip.id)
    assert done is not None
    assert (done.state, done.out) == (State.DONE, str(settings.results / "clip"))


def test_the_time_taken_is_the_same_in_a_second_run(
    settings: Settings, broker: Broker, ordered: Ordered, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = ordered()

    def crash(*_: object, **__: object) -> None:
        raise OSError

    with monkeypatch.context() as patched:
        patched.setattr(job, "move", crash)
        with pytest.raises(OSError):  # noqa: PT011 - raised by the test itself
            job.finish(settings, broker, clip.id)
    before = content(settings.results / "clip")
    job.finish(settings, broker, clip.id)
    assert content(settings.results / "clip") == before


def test_the_clip_stays_where_it_is_when_asked(settings: Settings, broker: Broker, ordered: Ordered) -> None:
    clip = ordered(keep_source=True)
    job.finish(settings, broker, clip.id)
    assert Path(clip.path).is_file()
    assert not settings.done.exists()


def test_a_clip_without_faces(settings: Settings, broker: Broker, ordered: Ordered) -> None:
    clip = ordered([])
    job.finish(settings, broker, clip.id)
    table = pd.read_csv(settings.results / "clip" / "timeline.csv")
    assert list(table["frame"]) == list(range(6))
    assert table["face"].isna().all()
    assert json.loads((settings.results / "clip" / "summary.json").read_text())["emotions"] == {}


def test_a_clip_that_is_gone_has_its_numbers_and_a_warning(
    settings: Settings, broker: Broker, ordered: Ordered
) -> None:
    clip = ordered(annotate=True)
    Path(clip.path).unlink()
    job.finish(settings, broker, clip.id)
    folder = settings.results / "clip"
    assert "annotated.mp4" not in content(folder)
    (warning,) = json.loads((folder / "summary.json").read_text())["warnings"]
    assert "annotated" in warning
    done = clips.get(broker, clip.id)
    assert done is not None
    assert done.state is State.DONE


def test_two_clips_of_one_name(settings: Settings, broker: Broker, ordered: Ordered) -> None:
    for clip_id, name in (("aaaaaaaa0001", "one/clip.mp4"), ("bbbbbbbb0002", "two/clip.mp4")):
        job.finish(settings, broker, ordered(id=clip_id, name=name).id)
    assert sorted(path.name for path in settings.results.iterdir()) == ["clip", "clip-bbbbbbbb"]


def test_lost_results_are_told_and_nothing_is_written(
    settings: Settings, broker: Broker, ordered: Ordered
) -> None:
    clip = ordered()
    broker.client.delete(broker.keys.readings(clip.id))
    with pytest.raises(ClipError, match="0 of 3 faces"):
        job.finish(settings, broker, clip.id)
    broker.client.delete(broker.keys.frames(clip.id))
    with pytest.raises(ClipError, match="0 of 6 frames"):
        job.finish(settings, broker, clip.id)
    assert not settings.results.exists()
    assert Path(clip.path).is_file()


def test_a_forgotten_clip_is_no_error(settings: Settings, broker: Broker) -> None:
    job.finish(settings, broker, "unknown")
    assert not settings.results.exists()


def test_the_queued_job_reads_its_settings_from_the_environment(
    settings: Settings, broker: Broker, ordered: Ordered, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = ordered()
    for name, value in environment_of(settings).items():
        monkeypatch.setenv(name, value)
    job.finish_clip(clip.id)
    assert (settings.results / "clip" / "summary.json").is_file()


def test_explanations_are_whole(settings: Settings, broker: Broker, ordered: Ordered) -> None:
    clip = ordered()
    job.finish(settings, broker, clip.id)
    (row,) = pd.read_parquet(settings.results / "clip" / "moments.parquet").to_dict("records")
    fields = {name: row[name] for name in Explanation.__struct_fields__}
    assert Explanation(**fields) == explanation()


@pytest.mark.parametrize("fault", ["full", "a file in its place"])
def test_a_clip_waits_for_a_folder_that_takes_its_files(
    fault: str, settings: Settings, broker: Broker, ordered: Ordered, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment_of(settings).items():
        monkeypatch.setenv(name, value)
    clip = ordered(annotate=True)
    with monkeypatch.context() as patched:
        if fault == "full":
            full = OSError(errno.ENOSPC, "No space left on device")
            patched.setattr(pq, "write_table", Mock(side_effect=full))
        else:
            settings.results.write_text("in the way")
        for tries in (1, 2):
            job.finish_clip(clip.id)
            held = clips.get(broker, clip.id)
            assert held is not None
            assert (held.state, held.holds) == (State.FINISHING, tries)
            assert held.held.startswith("its files cannot be written: ")
            assert time.time() < held.retry_s <= time.time() + 60
    assert Path(clip.path).exists()
    assert not settings.results.is_dir() or not any(settings.results.iterdir())
    if settings.results.is_file():
        settings.results.unlink()
    job.finish_clip(clip.id)
    done = clips.get(broker, clip.id)
    assert done is not None
    assert (done.state, done.held) == (State.DONE, "")
    assert len(pd.read_parquet(settings.results / "clip" / "timeline.parquet")) == 7
