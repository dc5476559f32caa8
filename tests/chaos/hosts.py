"""Two hosts on one machine: a network namespace each, and a link between them that can be cut."""

import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

_CLONE_NEWNET = 0x40000000
_LINK = "veth"
_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Host:
    """A network namespace, and its address on the link."""

    name: str
    address: str

    def cut(self) -> None:
        """Take the link down at this end: what is sent from either end is lost, and nobody is told."""
        _ip("-n", self.name, "link", "set", "dev", _LINK, "down")

    def restore(self) -> None:
        """Bring the link up again."""
        _ip("-n", self.name, "link", "set", "dev", _LINK, "up")

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Put this thread, and each process and connection that it makes, on the host until the block ends.

        The source is setns(2). Raises OSError where the kernel refuses.
        """
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        try:
            _enter(Path("/run/netns") / self.name)
            yield
        finally:
            _enter(Path(f"/proc/self/fd/{before}"))
            os.close(before)


@contextmanager
def two_hosts() -> Iterator[tuple[Host, Host]]:
    """Make two hosts that reach each other and nothing else; skips where that is not permitted."""
    if shutil.which("ip") is None:
        pytest.skip("network namespaces are made with iproute2's `ip`, which is not on this machine")
    if os.geteuid() != 0:
        pytest.skip("network namespaces are made by root only")
    first, second = (Host(f"reelmood-{os.getpid()}-{end}", f"10.0.0.{end}") for end in (1, 2))
    with ExitStack() as stack:
        for host in (first, second):
            try:
                _ip("netns", "add", host.name)
            except subprocess.CalledProcessError as error:
                pytest.skip(f"network namespaces are not permitted here: {error.stderr.strip()}")
            stack.callback(_ip, "netns", "delete", host.name)
        ends = ("name", _LINK, "netns")
        _ip("link", "add", *ends, first.name, "type", "veth", "peer", *ends, second.name)
        for host in (first, second):
            _ip("-n", host.name, "address", "add", f"{host.address}/24", "dev", _LINK)
            for interface in ("lo", _LINK):
                _ip("-n", host.name, "link", "set", "dev", interface, "up")
        yield first, second


def _enter(namespace: Path) -> None:
    with namespace.open("rb") as file:
        if _LIBC.setns(file.fileno(), _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"the kernel does not let this thread into {namespace}")


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)
