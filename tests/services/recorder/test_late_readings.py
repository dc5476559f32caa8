import json
from typing import Any

import pandas as pd
import pytest
import webvtt

from services.recorder import job
from shared.captions import CAPTIONS
from shared.messages import Face, decode, encode
from shared.people import PEOPLE, People, save
from shared.queues import clips, dead, work
from shared.queues.broker import Broker
from shared.queues.clips import Clip, State
from shared.queues.work import Outcome, Stage
from shared.settings import Settings
from tests.services.recorder.analysed import Ordered, content
from tests.services.recorder.makers import SAD, reading


def _read_again(broker: Broker, clip: Clip) -> None:
    """Put a clip's dead letters back and commit a reading for each, as a worker does."""
    letters = list(dead.letters(broker, clip.id))
    assert letters
    assert all(dead.retry(broker, letter).is_back for letter in letters)
    entries = work.take(broker, Stage.FACES, "worker", 100, 1)
    readings = [reading(decode(Face, entry.data).place, SAD) for entry in entries]
    outcomes = [Outcome(entry, encode(one)) for entry, one in zip(entries, readings, strict=True)]
    assert work.commit(broker, Stage.FACES, outcomes) == len(letters)


@pytest.mark.parametrize("done", [False, True])
def test_a_face_that_is_read_later_comes_into_the_files(
    settings: Settings, broker: Broker, ordered: Ordered, done: bool
) -> None:
    clip = ordered(annotate=True)
    if done:
        job.finish(settings, broker, clip.id)
    _read_again(broker, clip)
    job.finish(settings, broker, clip.id)
    folder = settings.results / "clip"
    table = pd.read_parquet(folder / "timeline.parquet")
    assert not table.duplicated(["frame", "face"]).any()
    assert table[table.frame == 4].emotion.tolist() == ["sad"]
    summary = json.loads((folder / "summary.json").read_text())
    assert (summary["failed_faces"], summary["warnings"]) == (0, [])
    assert [path.name for path in settings.done.iterdir()] == ["clip.mp4"]
    again = clips.get(broker, clip.id)
    assert again is not None
    assert (again.state, again.done, again.failed, again.out) == (State.DONE, 3, 0, str(folder))
    client: Any = broker.client
    assert 0 < client.ttl(broker.keys.readings(clip.id)) <= settings.keep_s


@pytest.mark.parametrize(("said", "voices"), [(None, ["Mia"] * 2), ("{", ["Track 0", "Track 1", "Track 0"])])
def test_what_people_said_outlives_a_face_that_is_read_later(
    settings: Settings, broker: Broker, ordered: Ordered, said: str | None, voices: list[str]
) -> None:
    clip = ordered()
    job.finish(settings, broker, clip.id)
    folder = settings.results / "clip"
    save(folder, People(names={1: "Mia"}, merged={0: 1}))
    if said is not None:
        (folder / PEOPLE).write_text(said)
    kept = (folder / PEOPLE).read_text()
    _read_again(broker, clip)
    job.finish(settings, broker, clip.id)
    assert (folder / PEOPLE).read_text() == kept
    cues = webvtt.read(str(folder / CAPTIONS), strict=True).captions
    assert [cue.voice for cue in cues] == voices


def test_a_face_that_is_read_too_late_leaves_the_files_as_they_are(
    settings: Settings, broker: Broker, ordered: Ordered
) -> None:
    clip = ordered()
    job.finish(settings, broker, clip.id)
    before = content(settings.results / "clip")
    _read_again(broker, clip)
    broker.client.delete(broker.keys.frames(clip.id), broker.keys.readings(clip.id))
    job.finish(settings, broker, clip.id)
    assert content(settings.results / "clip") == before
    done = clips.get(broker, clip.id)
    assert done is not None
    assert done.state is State.DONE
