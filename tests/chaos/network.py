"""A network that can be cut: a TCP proxy between the services and their broker."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Final

_CHUNK: Final = 65536
_BACKLOG: Final = 64


class Weather(Enum):
    """What the network does with what is sent over it."""

    FINE = "everything arrives"
    CUT = "connections break, and none comes about"
    SILENT = "nothing arrives, and nobody is told"


class Network:
    """Forwards TCP connections from `port` on loopback to the port `to`, as its weather allows."""

    def __init__(self, to: int) -> None:
        self._to = to
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
        self.port: int = self._listener.getsockname()[1]
        self._weather = Weather.FINE
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()

    def turn(self, weather: Weather) -> None:
        """Change the weather. Connections from before a silence stay silent after it."""
        with self._lock:
            self._weather = weather
            if weather is Weather.CUT:
                for one in self._open:
                    with contextlib.suppress(OSError):
                        one.shutdown(socket.SHUT_RDWR)

    def serve(self) -> None:
        """Accept connections until `close`."""
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self._weather is Weather.CUT:
                near.close()
                continue
            far = socket.create_connection(("127.0.0.1", self._to))
            with self._lock:
                self._open |= {near, far}
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=self._forward, args=(source, target), daemon=True).start()

    def close(self) -> None:
        """Break all connections and accept no more."""
        self.turn(Weather.CUT)
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _forward(self, source: socket.socket, target: socket.socket) -> None:
        swallowing = False
        with contextlib.suppress(OSError):
            while data := source.recv(_CHUNK):
                swallowing = swallowing or self._weather is Weather.SILENT
                if not swallowing:
                    target.sendall(data)
        with self._lock:
            self._open -= {source, target}
        for one in (source, target):
            one.close()


@contextmanager
def network(to: int) -> Iterator[Network]:
    """Run a network to a port on loopback until the block ends."""
    running = Network(to)
    thread = threading.Thread(target=running.serve)
    thread.start()
    try:
        yield running
    finally:
        running.close()
        thread.join()
