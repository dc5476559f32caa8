"""What a service tells over HTTP: its metrics and its health."""

import logging
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from typing import Any, Final, cast
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import msgspec
from prometheus_client import CollectorRegistry, Gauge, ProcessCollector, make_wsgi_app

from shared.errors import ReelmoodError
from shared.metrics.health import examine
from shared.pulse import Pulse
from shared.settings import Settings

logger = logging.getLogger(__name__)

_PATIENCE_S: Final = 5
_LOOK_S: Final = 0.2


@contextmanager
def endpoint(settings: Settings, pulse: Pulse, registry: CollectorRegistry) -> Iterator[None]:
    """Answer on `settings.metrics_port` until the block ends; nothing listens where that is 0.

    A thread of its own answers `GET /metrics` (Prometheus text format), `/livez`, `/readyz` and `/healthz`.
    Health goes by the pulse of the main loop alone, so that a loop that hangs is told from one that works.
    Raises ReelmoodError when the port cannot be had.
    """
    if not settings.metrics_port:
        yield
        return
    _count_pulse(registry, pulse)
    ProcessCollector(registry=registry)
    application = respond(pulse, settings.hang_s, registry)
    host, port = settings.metrics_host, settings.metrics_port
    try:
        server = make_server(host, port, application, _Server, _Handler)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ReelmoodError(f"no metrics at {host}:{port}, {reason}: set REELMOOD_METRICS_PORT") from None
    thread = threading.Thread(target=server.serve_forever, args=(_LOOK_S,), name="metrics", daemon=True)
    thread.start()
    logger.info("metrics at http://%s:%d/metrics", host, port)
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def respond(pulse: Pulse, hang_s: float, registry: CollectorRegistry) -> WSGIApplication:
    """Return the WSGI application (PEP 3333) behind `endpoint`.

    `/livez` answers 503 when the main loop has been silent for `hang_s` seconds, `/readyz` also while the
    service cannot work. `/healthz` has both in one JSON object, and the code of `/readyz`.
    """
    metrics = make_wsgi_app(registry)

    def application(environment: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        health = examine(pulse, hang_s)
        match environment["PATH_INFO"]:
            case "/metrics":
                return cast("Iterable[bytes]", metrics(environment, start))
            case "/livez":
                return _verdict(start, health.live, f"silent for {health.silent_s:.1f} s")
            case "/readyz":
                return _verdict(start, health.ready, "not ready")
            case "/healthz":
                body = msgspec.json.encode(health)
                return _answer(start, _status(health.ready), "application/json", body)
        return _answer(start, "404 Not Found", "text/plain", b"not here\n")

    return application


class _Server(ThreadingMixIn, WSGIServer):
    """Answers each request in a thread, so that a slow reader keeps no probe waiting."""

    daemon_threads = True


class _Handler(WSGIRequestHandler):
    """Keeps quiet, and ends a connection on which nothing comes."""

    timeout = _PATIENCE_S

    def log_message(self, *_: Any) -> None:
        """Log nothing: probes come every few seconds."""


def _count_pulse(registry: CollectorRegistry, pulse: Pulse) -> None:
    silent = Gauge(
        "reelmood_loop_silent_seconds", "Seconds since the main loop last went round", registry=registry
    )
    silent.set_function(pulse.silent_s)
    ready = Gauge("reelmood_ready", "1 when the service can work", registry=registry)
    ready.set_function(lambda: pulse.ready)


def _verdict(start: StartResponse, well: bool, problem: str) -> Iterable[bytes]:
    return _answer(start, _status(well), "text/plain", b"ok\n" if well else f"{problem}\n".encode())


def _status(well: bool) -> str:
    return "200 OK" if well else "503 Service Unavailable"


def _answer(start: StartResponse, status: str, kind: str, body: bytes) -> Iterable[bytes]:
    start(status, [("Content-Type", kind), ("Content-Length", str(len(body)))])
    return [body]
