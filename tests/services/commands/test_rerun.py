import json

import pytest

from services.commands import rerun as module
from services.ingest.identity import clip_id
from shared.folders import content_digest
from shared.poster.active import Promotion, write_promotions
from shared.queues import clips, jobs, presence
from shared.queues.broker import Broker
from shared.queues.clips import Clip, State
from shared.queues.presence import Service
from shared.settings import Settings
from tests.services.commands.conftest import Reelmood


def done(broker: Broker, settings: Settings, model: str = "nano") -> Clip:
    """A clip in done/ with results, as the recorder leaves it."""
    settings.done.mkdir(parents=True, exist_ok=True)
    path = settings.done / "film.mp4"
    path.write_bytes(b"a film")
    content = content_digest(path)
    key = clip_id(content, settings.model_copy(update={"model": model}))
    out = settings.results / "film"
    out.mkdir(parents=True)
    (out / "summary.json").write_text(json.dumps({"id": key, "clip": "film.mp4", "content": content}))
    clip = Clip(
        id=key, name="film.mp4", path=str(path), results=str(settings.results), model=model, content=content
    )
    clips.create(broker, clip)
    clips.update(broker, key, state=State.DONE, out=str(out))
    return clip


def promote(settings: Settings, name: str) -> None:
    write_promotions(settings.models, [Promotion(name=name, id=f"{name}@00000000")])


def test_under_another_model_it_is_a_new_run_beside_the_old_one(
    reelmood: Reelmood, broker: Broker, settings: Settings
) -> None:
    old = done(broker, settings)
    promote(settings, "mine")
    answer = reelmood("rerun", "film.mp4")
    assert (answer.code, answer.out) == (0, "film.mp4 is analysed again\n")
    new, kept = clips.recent(broker)
    assert (new.model, new.state, new.path, new.keep_source) == ("mine", State.QUEUED, old.path, True)
    assert (kept.id, kept.state) == (old.id, State.DONE)
    assert jobs.lengths(broker)["clips"] == 1
    assert "still being analysed" in reelmood("rerun", new.id).err


def test_under_the_same_model_there_is_nothing_to_do(
    reelmood: Reelmood, broker: Broker, settings: Settings
) -> None:
    done(broker, settings)
    answer = reelmood("rerun", "film.mp4")
    assert answer.code == 2
    assert "was analysed with nano already" in answer.err


def test_results_that_were_deleted_come_back(reelmood: Reelmood, broker: Broker, settings: Settings) -> None:
    clip = done(broker, settings)
    (settings.results / "film" / "summary.json").unlink()
    assert reelmood("rerun", clip.id).code == 0
    [again] = clips.recent(broker)
    assert (again.id, again.state) == (clip.id, State.QUEUED)


def test_a_failed_clip_goes_back_to_the_incoming_folder(
    reelmood: Reelmood, broker: Broker, settings: Settings
) -> None:
    (settings.failed / "deep").mkdir(parents=True)
    (settings.failed / "deep" / "film.mp4").write_bytes(b"a film")
    (settings.failed / "deep" / "film.mp4.error.json").write_text("{}")
    assert reelmood("rerun", "film.mp4").code == 0
    assert (settings.incoming / "deep" / "film.mp4").read_bytes() == b"a film"
    assert not [path for path in settings.failed.rglob("*") if path.is_file()]


def test_a_worker_with_another_model_is_waited_for_and_then_named(
    reelmood: Reelmood, broker: Broker, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PATIENCE_S", 0)
    done(broker, settings)
    promote(settings, "mine")
    presence.beat(broker, Service(name="w", kind="worker", pid=1, host="h", model="nano@12345678"))
    answer = reelmood("rerun", "film.mp4")
    assert answer.code == 2
    assert "a worker reads with nano@12345678, not with mine" in answer.err
    presence.beat(broker, Service(name="w", kind="worker", pid=1, host="h", model="mine@00000000"))
    assert reelmood("rerun", "film.mp4").code == 0


def test_what_is_not_there_is_one_line(reelmood: Reelmood, broker: Broker, settings: Settings) -> None:
    clip = done(broker, settings)
    (settings.done / "film.mp4").unlink()
    assert "the file of film.mp4 is not there any more" in reelmood("rerun", "film.mp4").err
    assert reelmood("rerun", "nobody").err == "reelmood: there is no clip nobody\n"
    clips.forget(broker, clip.id)
    (settings.results / "film" / "summary.json").unlink()
    settings.incoming.mkdir(parents=True)
    (settings.incoming / "film.mp4").write_bytes(b"a film")
    assert "still being analysed" in reelmood("rerun", "film.mp4").err
