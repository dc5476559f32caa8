import json
from pathlib import Path

from shared.queues import clips, jobs, work
from shared.queues.broker import Broker
from shared.queues.clips import Clip, State
from shared.queues.tasks import Task
from shared.settings import Settings
from tests.services.commands.conftest import Reelmood
from tests.services.dashboard.made import commit_frames


def order(broker: Broker, settings: Settings, clip_id: str = "a1", **fields: object) -> Clip:
    settings.incoming.mkdir(parents=True, exist_ok=True)
    path = settings.incoming / f"{clip_id}.mp4"
    path.write_bytes(b"a film")
    clip = Clip(id=clip_id, name=path.name, path=str(path), results=str(settings.results), model="nano")
    clips.create(broker, clip)
    clips.update(broker, clip_id, model="nano", **fields)
    jobs.enqueue(broker, Task.INGEST, clip_id)
    return clip


def state(broker: Broker, clip_id: str = "a1") -> Clip:
    clip = clips.get(broker, clip_id)
    assert clip is not None
    return clip


def test_a_clip_that_waits_goes_to_failed(reelmood: Reelmood, broker: Broker, settings: Settings) -> None:
    order(broker, settings)
    answer = reelmood("cancel", "a1.mp4")
    assert (answer.code, answer.out) == (0, "a1.mp4 is cancelled\n")
    assert state(broker).state is State.FAILED
    assert jobs.lengths(broker)["clips"] == 0
    assert (settings.failed / "a1.mp4").read_bytes() == b"a film"
    assert json.loads((settings.failed / "a1.mp4.error.json").read_text())["reason"] == "it was cancelled"


def test_faces_of_a_running_clip_leave_the_stream_and_no_more_come(
    reelmood: Reelmood, broker: Broker, settings: Settings
) -> None:
    clip = order(broker, settings, state=State.RUNNING)
    other = order(broker, settings, "b2", state=State.RUNNING)
    commit_frames(broker, clip, range(10))
    commit_frames(broker, other, range(5))
    assert reelmood("cancel", "a1").code == 0
    assert work.depths(broker)["faces"] == 5
    assert state(broker, "b2").state is State.RUNNING


def test_a_live_source_is_asked_to_end(reelmood: Reelmood, broker: Broker, settings: Settings) -> None:
    order(broker, settings, state=State.RUNNING, live=True)
    answer = reelmood("cancel", "a1")
    assert (answer.code, answer.out) == (0, "a1.mp4 ends\n")
    assert state(broker).stopping
    assert state(broker).state is State.RUNNING


def test_what_has_ended_or_is_unknown_is_one_line(
    reelmood: Reelmood, broker: Broker, settings: Settings
) -> None:
    order(broker, settings, state=State.DONE)
    answer = reelmood("cancel", "a1")
    assert (answer.code, answer.err) == (2, "reelmood: a1.mp4 is done, there is nothing to cancel\n")
    assert reelmood("cancel", "nobody").err == "reelmood: there is no clip nobody\n"


def test_of_two_with_one_name_the_id_is_asked_for(
    reelmood: Reelmood, broker: Broker, settings: Settings
) -> None:
    order(broker, settings)
    order(broker, settings, "b2", name="deeper/a1.mp4")
    answer = reelmood("cancel", "a1.mp4")
    assert answer.code == 2
    assert "give the id of one" in answer.err
    assert Path(state(broker).path).exists()
