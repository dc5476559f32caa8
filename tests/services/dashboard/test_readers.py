import msgspec
import pytest

from services.dashboard.readers import Progress, follow, progress_of, survey
from services.dashboard.view import View
from shared.queues import clips, presence
from shared.queues.broker import Broker
from shared.queues.clips import State
from tests.services.dashboard.made import answer_all, commit_frames, made_clip, start_clip


def test_reads_only_what_is_new_and_misses_nothing(broker: Broker) -> None:
    clip = made_clip(frames=200)
    start_clip(broker, clip, started_s=1.0)
    view = View(clip.id)
    for start in range(0, 200, 50):
        commit_frames(broker, clip, range(start, start + 50), last=start == 150)
        answer_all(broker)
        view = follow(broker, view, budget_s=60)
    done = clips.get(broker, clip.id)
    assert done is not None
    assert len(view.time_s) == done.faces == len(set(view.time_s.tolist()))
    assert view.last_frame == 199
    assert view.shots == {0: 0.0, 1: 4.0}
    assert view.moments[10].frame == view.answers[10].frame == 192


def test_who_comes_late_sees_everything_in_short_steps(broker: Broker) -> None:
    clip = made_clip(frames=2000)
    start_clip(broker, clip, started_s=1.0)
    commit_frames(broker, clip, range(2000), last=True)
    answer_all(broker)
    step = follow(broker, View(clip.id), budget_s=0)
    assert 0 < len(step.time_s) < 1000
    clip_now = clips.get(broker, clip.id)
    assert clip_now is not None
    assert len(follow(broker, step, budget_s=60).time_s) == clip_now.faces


def test_a_clip_without_streams_is_empty(broker: Broker) -> None:
    assert len(follow(broker, View("unknown"), budget_s=60).time_s) == 0


def test_surveys_clips_services_and_depths(broker: Broker) -> None:
    older, newer = made_clip("a", "a.mp4"), made_clip("b", "b.mp4")
    start_clip(broker, older, 1.0)
    start_clip(broker, newer, 1.0)
    commit_frames(broker, newer, range(10))
    worker = presence.Service(name="worker-1", kind="worker", pid=1, host="here", device="cpu", rate=12.5)
    presence.beat(broker, worker)
    seen = survey(broker)
    assert [clip.id for clip in seen.clips] == ["b", "a"]
    assert [service.name for service in seen.services] == ["worker-1"]
    assert seen.depths["faces"] == 10
    assert seen.depths["clips"] == seen.depths["dead"] == 0


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, Progress(0.0, None, None)),
        (
            {"state": State.RUNNING, "started_s": 90.0, "frames": 50, "faces": 40, "done": 20},
            Progress(0.25, 2.5, 30.0),
        ),
        (
            {"state": State.RUNNING, "started_s": 90.0, "frames": 50, "faces": 0},
            Progress(0.5, 5.0, 10.0),
        ),
        (
            {"state": State.RUNNING, "started_s": 90.0, "frames": 1, "faces": 1, "done": 1},
            Progress(0.01, 0.1, None),
        ),
        (
            {"state": State.RUNNING, "started_s": 90.0, "frames": 120, "faces": 10, "done": 10},
            Progress(1.0, 12.0, 0.0),
        ),
        ({"state": State.FINISHING}, Progress(1.0, None, None)),
        (
            {"state": State.DONE, "started_s": 80.0, "finished_s": 90.0, "frames": 100},
            Progress(1.0, 10.0, 0.0),
        ),
        ({"state": State.FAILED}, Progress(0.0, None, None)),
    ],
)
def test_progress_counts_what_is_decoded_and_read(fields: dict[str, object], expected: Progress) -> None:
    clip = msgspec.structs.replace(made_clip(frames=100), **fields)
    assert progress_of(clip, now_s=100.0) == expected


def test_a_clip_of_unknown_length_has_a_speed_and_no_fraction() -> None:
    clip = msgspec.structs.replace(
        made_clip(frames=0), state=State.RUNNING, started_s=90.0, frames=100, faces=10, done=5
    )
    assert progress_of(clip, now_s=100.0) == Progress(None, 5.0, None)
