"""Certificates, and a proxy that ends TLS in front of a broker that speaks none itself."""

import os
import select
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

_BYTES = 1 << 16
_HANDSHAKE_S = 10


def make_certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """Make a self-signed certificate of 127.0.0.1 and its key, by `openssl`; skip where there is none."""
    if shutil.which("openssl") is None:
        missing = pytest.fail if os.environ.get("CI") else pytest.skip
        missing("openssl is not installed (Debian: apt install openssl)")
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
    ]
    subject = ["-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "1"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*command, *subject, *files], check=True, capture_output=True)
    return certificate, key


@contextmanager
def tls_proxy(certificate: Path, key: Path, port: int) -> Iterator[int]:
    """Accept TLS on a port of loopback, which is yielded, and pass on what comes to `port` in the clear."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    ended, end = socket.socketpair()
    with ended, end, socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_accept, args=(listener, context, port, ended))
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            end.close()
            thread.join()


def _accept(listener: socket.socket, context: ssl.SSLContext, port: int, ended: socket.socket) -> None:
    threads: list[threading.Thread] = []
    while ended not in select.select([listener, ended], [], [])[0]:
        client, _ = listener.accept()
        client.settimeout(_HANDSHAKE_S)
        threads.append(threading.Thread(target=_serve, args=(client, context, port, ended)))
        threads[-1].start()
    for thread in threads:
        thread.join()


def _serve(client: socket.socket, context: ssl.SSLContext, port: int, ended: socket.socket) -> None:
    """Both directions in one thread: an SSL socket is not to be used by two at once."""
    with (
        suppress(OSError),
        client,
        socket.create_connection(("127.0.0.1", port)) as broker,
        context.wrap_socket(client, server_side=True) as tls,
    ):
        tls.setblocking(False)
        broker.setblocking(False)
        _pump(tls, broker, ended)


def _pump(tls: ssl.SSLSocket, broker: socket.socket, ended: socket.socket) -> None:
    while ended not in (ready := select.select([tls, broker, ended], [], [])[0]):
        if tls in ready:
            data = _received(tls)
            while data:
                _send(broker, data)
                data = _received(tls)
            if data == b"":
                return
        if broker in ready:
            data = broker.recv(_BYTES)
            if not data:
                return
            _send(tls, data)


def _received(tls: ssl.SSLSocket) -> bytes | None:
    """Return what has come, empty at the end, None while there is nothing."""
    try:
        return tls.recv(_BYTES)
    except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
        return None


def _send(to: socket.socket, data: bytes) -> None:
    to.setblocking(True)
    to.sendall(data)
    to.setblocking(False)
