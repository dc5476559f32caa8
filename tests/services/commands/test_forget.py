"""`reelmood forget` removes every trace of one clip and nothing of another."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared import corrections
from shared.folders import content_digest
from shared.messages import Box, Neighbour, Neighbours, Place, encode
from shared.queues import clips, jobs, work
from shared.queues.broker import Broker, connect
from shared.queues.clips import Clip, State
from shared.queues.embedded import embedded_broker
from shared.queues.tasks import Task
from shared.settings import Settings
from tests.clips import walk, write_clip
from tests.integration.reelmood import eventually
from tests.security.runner import runner
from tests.services.commands.conftest import Reelmood
from tests.shared.test_corrections import correction

Kept = Callable[..., Clip]


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture
def kept(settings: Settings, broker: Broker) -> Kept:
    """Leave a finished clip: its file, its results, what the broker knows."""

    def keep(clip_id: str, name: str, text: str, folder: str = "") -> Clip:
        file = write(settings.done / name, text)
        out = settings.results / (folder or Path(name).stem)
        summary = {"id": clip_id, "clip": name, "content": content_digest(file)}
        write(out / "summary.json", json.dumps(summary))
        clip = Clip(
            id=clip_id,
            name=name,
            path=str(settings.incoming / name),
            results=str(settings.results),
            model="nano",
            content=content_digest(file),
        )
        clips.create(broker, clip)
        clips.update(broker, clip_id, state=State.DONE, out=str(out))
        for stream in (broker.keys.frames(clip_id), broker.keys.readings(clip_id)):
            broker.client.xadd(stream, {"m": clip_id})
        for stream in (broker.keys.faces, broker.keys.queries, broker.keys.dead):
            broker.client.xadd(
                stream, {"c": clip_id, "m": "a face", "error": "none", "stage": broker.keys.faces}
            )
        jobs.enqueue(broker, Task.FINISH, clip_id)
        return clip

    return keep


def left(settings: Settings) -> list[str]:
    """Return the files of the home, by their paths in it."""
    paths = (path for path in settings.home.rglob("*") if path.is_file() and "broker" not in path.parts)
    return sorted(path.relative_to(settings.home).as_posix() for path in paths)


def knows(broker: Broker, text: str) -> bool:
    """Tell whether a text stands in a key or its content; a stream's dump would show deleted entries too."""
    client: Any = broker.client
    for key in client.keys("*"):
        held = client.xrange(key) if client.type(key) == b"stream" else client.dump(key)
        if text in str(key) or text in str(held):
            return True
    return False


@pytest.mark.parametrize("wanted", ["films/a.mp4", "a.mp4", "id-of-a", "results/a", "done/films/a.mp4", "a"])
def test_by_name_by_id_or_by_path(
    wanted: str, settings: Settings, broker: Broker, kept: Kept, reelmood: Reelmood
) -> None:
    kept("ida", "films/a.mp4", "one film")
    kept("idb", "films/b.mp4", "another film")
    if wanted.startswith(("results/", "done/")):
        wanted = str(settings.home / wanted)
    answer = reelmood("forget", wanted.replace("id-of-a", "ida"), "--yes")
    assert answer.code == 0, answer.err
    assert str(settings.done / "films" / "a.mp4") in answer.out
    assert str(settings.results / "a") in answer.out
    assert "ida on the broker: films/a.mp4, done" in answer.out
    assert left(settings) == ["done/films/b.mp4", "results/b/summary.json"]
    assert not knows(broker, "ida")
    assert knows(broker, "idb")
    assert jobs.lengths(broker)["finish"] == 1


def test_every_copy_and_every_run_of_it_goes(
    settings: Settings, broker: Broker, kept: Kept, reelmood: Reelmood
) -> None:
    kept("ida", "a.mp4", "one film")
    kept("ida2", "a.mp4", "one film", folder="a-ida2")
    write(settings.done / "the same again.mp4", "one film")
    write(settings.incoming / "later" / "and again.mp4", "one film")
    write(settings.failed / "as long.mp4", "no movie")
    write(settings.results / ".a-ida.partial" / "timeline.csv", "half")
    assert reelmood("forget", "a.mp4", "--yes").code == 0
    assert left(settings) == ["failed/as long.mp4"]
    assert not (settings.incoming / "later").exists()
    assert not knows(broker, "ida")


def test_a_failed_clip_goes_with_its_reason(settings: Settings, broker: Broker, reelmood: Reelmood) -> None:
    write(settings.failed / "bad.mp4", "no video")
    write(settings.failed / "bad.mp4.error.json", "{}")
    write(settings.failed / "other.mp4.error.json", "{}")
    assert reelmood("forget", "bad.mp4", "--yes").code == 0
    assert left(settings) == ["failed/other.mp4.error.json"]


def test_two_clips_of_one_name_are_told_apart(
    settings: Settings, kept: Kept, broker: Broker, reelmood: Reelmood
) -> None:
    kept("ida", "clip.mp4", "one film")
    kept("idb", "clip.mp4", "another film", folder="clip-idb")
    answer = reelmood("forget", "clip.mp4", "--yes")
    assert (answer.code, answer.err.count("\n")) == (2, 1)
    assert "2 clips are called clip.mp4" in answer.err
    assert "ida" in answer.err
    assert "idb" in answer.err
    assert reelmood("forget", "idb", "--yes").code == 0
    assert left(settings) == ["results/clip/summary.json"]
    assert knows(broker, "ida")


@pytest.mark.parametrize("answer", ["n\n", "\n", ""])
def test_nothing_happens_without_a_yes(
    answer: str, settings: Settings, kept: Kept, reelmood: Reelmood, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept("ida", "a.mp4", "one film")
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    assert reelmood("forget", "a.mp4").code == 1
    assert left(settings) == ["done/a.mp4", "results/a/summary.json"]


@pytest.mark.parametrize("wanted", ["b.mp4", "", ".", "..", "/", "done", "results", "*", "../done/a.mp4"])
def test_what_is_not_kept_is_one_line(
    wanted: str, settings: Settings, kept: Kept, reelmood: Reelmood
) -> None:
    kept("ida", "a.mp4", "one film")
    answer = reelmood("forget", wanted, "--yes")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err == f"reelmood: nothing is kept of {wanted}\n"
    assert left(settings) == ["done/a.mp4", "results/a/summary.json"]


def test_a_link_among_the_results_does_not_lead_out(
    settings: Settings, broker: Broker, reelmood: Reelmood, tmp_path: Path
) -> None:
    summary = json.dumps({"id": "ida", "clip": "a.mp4", "content": ""})
    outside = write(tmp_path / "outside" / "summary.json", summary)
    settings.results.mkdir(parents=True)
    (settings.results / "a").symlink_to(outside.parent)
    assert reelmood("forget", "ida", "--yes").code == 0
    assert outside.read_text() == summary
    assert not (settings.results / "a").is_symlink()


def test_a_clip_under_way_is_stopped(
    settings: Settings, broker: Broker, tmp_path: Path, reelmood: Reelmood
) -> None:
    """Its ingest waits for room on the stream of faces, which no worker empties."""
    narrow = settings.model_copy(update={"high_water": 2, "low_water": 1, "commit_frames": 2})
    path = write_clip(settings.incoming / "walk.mp4", walk(30))
    clip = Clip(
        id="ida",
        name="walk.mp4",
        path=str(path),
        results="/nowhere",
        model="nano",
        content=content_digest(path),
    )
    clips.create(broker, clip)
    jobs.enqueue(broker, Task.INGEST, "ida")
    with runner(narrow, tmp_path / "runner.log"):
        eventually(lambda: work.depths(broker)["faces"] >= 2, "the stream is full")
        answer = reelmood("forget", "walk.mp4", "--yes")
        assert answer.code == 0, answer.err
        assert not jobs.stands(broker, Task.INGEST, "ida")
    assert left(settings) == []
    assert work.depths(broker)["faces"] == 0
    assert not knows(broker, "ida")


def test_other_clips_no_longer_name_it_as_a_neighbour(
    settings: Settings, broker: Broker, kept: Kept, reelmood: Reelmood
) -> None:
    kept("ida", "a.mp4", "one film")
    kept("idb", "b.mp4", "another film")
    for frame, source in enumerate(("a.mp4", "c.mp4")):
        place = Place(clip="idb", frame=frame, time_s=0, shot=0, face=0, track=0, box=Box(0, 0, 9, 9))
        near = Neighbour(label="happy", source=source, frame=1, time_s=0.1, similarity=0.9)
        broker.client.xadd(
            broker.keys.neighbours("idb"), {"m": encode(Neighbours(place=place, nearest=[near], agrees=True))}
        )
    assert reelmood("forget", "ida", "--yes").code == 0
    assert len(broker.client.xrange(broker.keys.neighbours("idb"))) == 1
    assert not knows(broker, "a.mp4")


def test_without_a_running_broker_its_files_are_cleaned_too(
    settings: Settings, reelmood: Reelmood, monkeypatch: pytest.MonkeyPatch, kept: Kept
) -> None:
    clip = kept("ida", "a.mp4", "one film")
    alone = settings.model_copy(update={"redis_url": None})
    with embedded_broker(settings.home):
        broker = connect(alone)
        clips.create(broker, clip)
        broker.client.xadd(broker.keys.readings("ida"), {"m": "a face of ida"})
        broker.client.close()
    monkeypatch.delenv("REELMOOD_REDIS_URL")
    log = settings.home / "broker" / "appendonlydir"
    assert any(b"a face of ida" in path.read_bytes() for path in log.iterdir())
    assert reelmood("forget", "ida", "--yes").code == 0
    assert not any(b"ida" in path.read_bytes() for path in log.iterdir())
    assert left(settings) == []


def test_without_any_broker_the_files_go(
    settings: Settings, reelmood: Reelmood, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(settings.done / "a.mp4", "one film")
    monkeypatch.delenv("REELMOOD_REDIS_URL")
    assert reelmood("forget", "a.mp4", "--yes").code == 0
    assert left(settings) == []


def test_corrected_faces_go_with_their_clip_even_when_nothing_else_is_left_of_it(
    settings: Settings, broker: Broker, kept: Kept, reelmood: Reelmood
) -> None:
    clip = kept("ida", "a.mp4", "one film")
    mine = [
        correction(clip="ida", content=clip.content, name="a.mp4"),
        correction(clip="older-run", content=clip.content, name="a.mp4", frame=1),
        correction(clip="idc", content="", name="c.mp4", frame=2),
    ]
    other = correction(clip="idb", content="", name="b.mp4")
    corrections.put(settings.corrections, dict.fromkeys([*mine, other], b"jpeg"))
    answer = reelmood("forget", "a.mp4", "--yes")
    assert f"{settings.corrections}: 2 corrected faces" in answer.out
    assert corrections.read(settings.corrections) == [mine[2], other]
    assert reelmood("forget", "idc", "--yes").code == 0
    assert corrections.read(settings.corrections) == [other]
    pictures = settings.corrections / corrections.PICTURES
    assert [path.name for path in pictures.iterdir()] == [other.picture]
    assert reelmood("forget", "idc", "--yes").code == 1
