"""A camera on loopback: an HTTP server that plays frames as motion JPEG (multipart/x-mixed-replace)."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle, islice

import cv2

from shared.faces.detection import Image

BOUNDARY = "reelmood"


@dataclass
class Camera:
    """What is played: over and over, `length` frames for each who asks; none without `authorization`."""

    pictures: list[bytes]
    rate: float = 50.0
    length: int | None = None
    authorization: str | None = None
    asked: int = 0
    ended: threading.Event = field(default_factory=threading.Event)
    address: str = ""


def jpegs(images: Sequence[Image]) -> list[bytes]:
    return [cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1].tobytes() for image in images]


@contextmanager
def serving(camera: Camera) -> Iterator[Camera]:
    """Serve a camera; `address` is where."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            camera.asked += 1
            if camera.authorization and self.headers.get("Authorization") != camera.authorization:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="camera"')
                self.end_headers()
                return
            self.send_response(200)
            self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={BOUNDARY}")
            self.end_headers()
            for picture in islice(cycle(camera.pictures), camera.length):
                head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
                try:
                    self.wfile.write(head.encode() + picture + b"\r\n")
                except OSError:
                    return
                if camera.ended.wait(1 / camera.rate):
                    return

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    camera.address = f"http://127.0.0.1:{server.server_port}/live.mjpg"
    try:
        yield camera
    finally:
        camera.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()
