"""What somebody who can write to the broker puts into RQ's jobs is not run."""

import base64
import json
import socket
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.queues import clips, jobs
from shared.queues.broker import Broker
from shared.queues.clips import Clip, State
from shared.queues.tasks import Task
from shared.settings import Settings
from tests.integration.reelmood import eventually
from tests.security.bombs import bomb
from tests.security.runner import runner

INGEST = "services.ingest.job.ingest_clip"


@pytest.fixture
def mark(tmp_path: Path) -> Iterator[Path]:
    """The folder that an attack makes; it must not be there in the end."""
    path = tmp_path / "went-off"
    yield path
    assert not path.exists()


def order(broker: Broker, clip_id: str) -> None:
    """Order a clip whose file is gone: its job ends, and says so, as soon as it is run."""
    clip = Clip(id=clip_id, name="gone.mp4", path="/nowhere/gone.mp4", results="/nowhere", model="nano")
    assert clips.create(broker, clip)
    jobs.enqueue(broker, Task.INGEST, clip_id)


def forge(broker: Broker, clip_id: str, **fields: Any) -> None:
    """Order a clip, and overwrite fields of its RQ job."""
    order(broker, clip_id)
    for name, value in fields.items():
        broker.client.hset(f"rq:job:test-clips-{clip_id}", name, value)


def payload(*parts: object) -> bytes:
    return zlib.compress(json.dumps(parts).encode())


def forge_all(broker: Broker, mark: Path, address: str) -> None:
    """Put jobs on the queue that would make the folder `mark`, or call the address, if RQ were let."""
    evil = bomb(mark)
    forge(broker, "data", data=zlib.compress(evil))
    forge(broker, "raw", data=evil)
    forge(broker, "meta", meta=evil, result=evil)
    forge(broker, "function", data=payload("os.mkdir", None, [str(mark)], {}))
    forge(broker, "method", data=payload("join", str(mark), [["a"]], {}))
    forge(broker, "nothing", data=payload(INGEST, None, None, None))
    forge(broker, "number", data=payload(INGEST, None, [7], {}))
    names = ("success_callback_name", "failure_callback_name", "stopped_callback_name")
    hooks = [
        {"url": address, "job_status": status, "method": "GET", "headers": None, "timeout": 5}
        for status in ("finished", "failed")
    ]
    extras = {
        **dict.fromkeys(names, "tests.security.calls.made"),
        "description": str(mark),
        "webhooks": json.dumps(hooks),
    }
    forge(broker, "calls", **extras)
    forge(broker, "fails", **extras, data=payload(INGEST, None, [], {}))
    client: Any = broker.client
    client.xadd("rq:results:test-clips-data", {"type": 2, "return_value": base64.b64encode(evil)})


def test_forged_jobs_run_nothing_and_stop_nothing(broker: Broker, settings: Settings, mark: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        forge_all(broker, mark, f"http://127.0.0.1:{listener.getsockname()[1]}/")
        with runner(settings, mark.with_name("runner.log")) as process:
            order(broker, "honest")
            eventually(lambda: _state(broker, "honest") is State.FAILED, "the honest job behind the others")
            eventually(lambda: not jobs.stands(broker, Task.INGEST, "honest"), "its end")
            assert _state(broker, "calls") is State.FAILED
            assert process.poll() is None
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert {"function", "method", "fails"}.isdisjoint(dict(jobs.take_failed(broker)))
    assert jobs.take_failed(broker) == []
    assert jobs.lengths(broker) == {"clips": 0, "finish": 0, "training": 0}


def _state(broker: Broker, clip_id: str) -> State | None:
    clip = clips.get(broker, clip_id)
    return clip.state if clip else None
