"""The embedded broker: private, persistent, one per home, gone with its owner."""

import os
import signal
import stat
from pathlib import Path

import psutil
import pytest

from shared.errors import BrokerError
from shared.queues.broker import address_file, client_of, connect, public
from shared.queues.embedded import embedded_broker
from shared.queues.outage import insist
from shared.settings import Settings


def test_what_was_written_is_there_after_a_restart(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    with embedded_broker(tmp_path):
        connect(settings).client.hset("h", "field", "kept")
    with embedded_broker(tmp_path):
        assert connect(settings).client.hget("h", "field") == b"kept"


def test_its_address_is_for_its_owner_only_and_goes_with_it(tmp_path: Path) -> None:
    with embedded_broker(tmp_path) as url:
        file = address_file(tmp_path)
        assert file.read_text() == url
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
        without_password = f"redis://{url.rpartition('@')[2]}"
        with pytest.raises(BrokerError, match=r"refuses the password|does not answer"):
            connect(Settings(home=tmp_path, redis_url=without_password))
    with pytest.raises(BrokerError, match="no broker is running"):
        connect(Settings(home=tmp_path))


def test_one_home_has_one_broker(tmp_path: Path) -> None:
    with embedded_broker(tmp_path) as url:
        with pytest.raises(BrokerError, match="already running"), embedded_broker(tmp_path):
            pass
        client_of(url).ping()


def test_an_address_left_by_a_crash_is_no_hindrance(tmp_path: Path) -> None:
    address_file(tmp_path).parent.mkdir(parents=True)
    address_file(tmp_path).write_text("redis://:gone@127.0.0.1:1/0")
    with embedded_broker(tmp_path) as url:
        client_of(url).ping()


def test_an_unreachable_broker_is_one_line_without_its_password() -> None:
    with pytest.raises(BrokerError, match=r"redis://127\.0\.0\.1:1/0 does not answer") as caught:
        connect(Settings(redis_url="redis://user:secret@127.0.0.1:1/0"))
    assert "secret" not in str(caught.value)


def test_a_wrong_address_is_one_line() -> None:
    with pytest.raises(BrokerError, match="REELMOOD_REDIS_URL"):
        client_of("http://127.0.0.1")


def test_a_url_is_shown_without_its_secrets() -> None:
    assert public("rediss://me:pw@host:6379/1?password=pw") == "rediss://host:6379/1"


def test_a_server_that_is_killed_comes_back_with_its_data(tmp_path: Path) -> None:
    with embedded_broker(tmp_path) as url:
        client = client_of(url)
        client.hset("h", "field", "kept")
        os.kill(client.info("server")["process_id"], signal.SIGKILL)
        assert insist(lambda: client.hget("h", "field")) == b"kept"
        second = client.info("server")["process_id"]
    assert not psutil.pid_exists(second)
