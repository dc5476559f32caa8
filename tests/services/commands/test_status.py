"""`reelmood status` and `doctor` tell how things are."""

import json
from pathlib import Path

import pytest

from shared.queues import clips, jobs, presence
from shared.queues.broker import Broker
from shared.queues.clips import Clip, State
from shared.queues.tasks import Task
from shared.settings import Settings
from tests.services.commands.conftest import Reelmood


def test_clips_services_and_queues_are_told(broker: Broker, reelmood: Reelmood) -> None:
    clips.create(broker, Clip(id="c1", name="sub/a clip.mp4", path="/a", results="/r", model="nano"))
    clips.update(broker, "c1", state=State.FAILED, error="not a video")
    presence.beat(broker, presence.Service(name="w", kind="worker", pid=7, host="h", device="cpu", rate=12.5))
    told = json.loads(reelmood("status", "--json").out)
    assert [(clip["name"], clip["state"], clip["error"]) for clip in told["clips"]] == [
        ("sub/a clip.mp4", "failed", "not a video")
    ]
    assert [(one["name"], one["device"], one["rate"]) for one in told["services"]] == [("w", "cpu", 12.5)]
    assert told["queues"] == {"clips": 0, "finish": 0, "training": 0, "faces": 0, "queries": 0, "dead": 0}
    table = reelmood("status")
    assert table.code == 0
    assert all(text in table.out for text in ("sub/a clip.mp4", "failed", "12.5/s", "0 faces"))


def test_a_live_source_tells_its_latency_and_what_it_dropped(broker: Broker, reelmood: Reelmood) -> None:
    clips.create(broker, Clip(id="c1", name="door", path="/a", results="/r", model="nano", live=True))
    clips.update(broker, "c1", state=State.RUNNING, latency_s=0.25, dropped={"workers_behind": 3})
    told = " ".join(reelmood("status").out.split())
    assert "live, 0.25 s behind; dropped: 3 workers_behind" in told


def test_the_age_of_what_waits_is_told(broker: Broker, reelmood: Reelmood) -> None:
    broker.client.xadd(broker.keys.faces, {"c": "c1", "m": b"face"})
    jobs.enqueue(broker, Task.INGEST, "c1")
    oldest_s = json.loads(reelmood("status", "--json").out)["oldest_s"]
    assert oldest_s.keys() == {"clips", "finish", "training", "faces", "queries"}
    assert oldest_s["faces"] > 0
    assert oldest_s["clips"] > 0
    assert (oldest_s["queries"], oldest_s["finish"]) == (0, 0)
    table = reelmood("status").out
    assert "1 faces (oldest" in table
    assert "0 queries," in table


def test_no_broker_is_one_line_without_a_password(
    reelmood: Reelmood, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REELMOOD_REDIS_URL", "redis://:secret@127.0.0.1:1/0")
    answer = reelmood("status")
    assert (answer.code, answer.err.count("\n")) == (2, 1)
    assert "does not answer" in answer.err
    assert "secret" not in answer.err


def test_doctor_finds_nothing_wrong_here(settings: Settings, broker: Broker, reelmood: Reelmood) -> None:
    answer = reelmood("doctor", "--json")
    assert answer.code == 0, answer.out
    found = {row["check"]: row["found"] for row in json.loads(answer.out)}
    assert found.keys() == {"folders", "broker", "face detector", "video codecs", "device", "model"}
    assert settings.home.is_dir()


def test_doctor_names_what_is_wrong(
    reelmood: Reelmood, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("REELMOOD_HOME", str(tmp_path / "file"))
    monkeypatch.setenv("REELMOOD_REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("REELMOOD_MODEL", "no-such-model")
    answer = reelmood("doctor")
    assert answer.code == 1
    wrong = [line.split()[1] for line in answer.out.splitlines() if line.startswith("WRONG")]
    assert wrong == ["folders", "broker", "model"]


@pytest.mark.parametrize(
    ("bf16", "code", "found"), [(True, 0, "cpu, in bfloat16"), (False, 1, "use float32")]
)
def test_doctor_tells_the_precision(
    bf16: bool, code: int, found: str, broker: Broker, reelmood: Reelmood, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: {"avx512_bf16": bf16})
    monkeypatch.setenv("REELMOOD_DEVICE", "cpu")
    monkeypatch.setenv("REELMOOD_PRECISION", "bfloat16")
    answer = reelmood("doctor")
    assert answer.code == code
    (device,) = [line for line in answer.out.splitlines() if line.split()[1] == "device"]
    assert found in device
