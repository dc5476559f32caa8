"""Deleted data leave the broker's append-only file when it is asked to rewrite it."""

from contextlib import closing
from pathlib import Path
from typing import Any

from shared.queues.broker import Broker, client_of, connect
from shared.queues.embedded import embedded_broker
from shared.queues.persistence import compact
from shared.settings import Settings


def holds(home: Path, text: bytes) -> bool:
    return any(text in path.read_bytes() for path in (home / "broker" / "appendonlydir").iterdir())


def test_what_was_deleted_is_gone_from_the_file(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    with embedded_broker(tmp_path):
        broker = connect(settings)
        for name in ("gone", "kept"):
            broker.client.hset(name, "face", f"the face of {name}")
        broker.client.delete("gone")
        assert holds(tmp_path, b"the face of gone")
        assert compact(broker, 30)
        assert not holds(tmp_path, b"the face of gone")
        assert broker.client.hget("kept", "face") == b"the face of kept"
        broker.client.close()
    with embedded_broker(tmp_path) as url, closing(client_of(url)) as client:
        assert client.hget("kept", "face") == b"the face of kept"


def test_one_that_is_under_way_already_is_not_enough(tmp_path: Path) -> None:
    with embedded_broker(tmp_path):
        broker = connect(Settings(home=tmp_path))
        broker.client.hset("gone", "face", "the face of gone")
        client: Any = broker.client
        client.config_set("rdb-key-save-delay", 300_000)
        broker.client.bgrewriteaof()
        broker.client.delete("gone")
        assert not compact(broker, 0)
        assert compact(broker, 30)
        assert not holds(tmp_path, b"the face of gone")
        broker.client.close()


def test_a_broker_without_such_a_file_gets_none(tmp_path: Path) -> None:
    with embedded_broker(tmp_path):
        broker = connect(Settings(home=tmp_path))
        client: Any = broker.client
        client.config_set("appendonly", "no")
        before = client.info("persistence").get("aof_rewrite_in_progress")
        assert compact(broker, 1)
        assert (before, client.info("persistence")["aof_rewrite_in_progress"]) == (0, 0)
        client.close()


def test_a_user_who_may_not_is_told_so(broker: Broker, settings: Settings) -> None:
    client: Any = broker.client
    client.acl_setuser(
        "narrow", enabled=True, passwords=["+pw"], commands=["+@all", "-bgrewriteaof"], keys=["*"]
    )
    try:
        address = (settings.redis_url or "").rpartition("@")[2]
        narrow = connect(settings.model_copy(update={"redis_url": f"redis://narrow:pw@{address}"}))
        assert not compact(narrow, 1)
        narrow.client.close()
    finally:
        client.acl_deluser("narrow")
