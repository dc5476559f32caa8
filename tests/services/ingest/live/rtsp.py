"""A camera on loopback that speaks RTSP: H.264 in RTP packets on the same connection (RFC 2326, RFC 6184)."""

import base64
import re
import socketserver
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction

import av

from shared.faces.detection import Image

RATE = 25
_TICKS = 90_000 // RATE
_START = re.compile(b"\x00\x00\x00?\x01")


def encode(images: Sequence[Image]) -> list[list[bytes]]:
    """Return the NAL units of each frame, the first frame's with its parameter sets."""
    context = av.CodecContext.create("libx264", "w")
    context.height, context.width = images[0].shape[:2]
    context.pix_fmt, context.time_base = "yuv420p", Fraction(1, RATE)
    context.options = {"tune": "zerolatency", "preset": "ultrafast"}
    packets = []
    for number, image in enumerate(images):
        frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, RATE)
        packets += context.encode(frame)
    return [[unit for unit in _START.split(bytes(packet)) if unit] for packet in packets]


@contextmanager
def serving(images: Sequence[Image]) -> Iterator[str]:
    """Serve the images, over and over, and yield the address."""
    frames, ended = encode(images), threading.Event()
    sets = {unit[0] & 31: unit for unit in frames[0]}
    parameters = ",".join(base64.b64encode(sets[kind]).decode() for kind in (7, 8))
    description = (
        "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n"
        "a=rtpmap:96 H264/90000\r\n"
        f"a=fmtp:96 packetization-mode=1;sprop-parameter-sets={parameters}\r\na=control:track0\r\n"
    )

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while request := self.rfile.readline().decode():
                fields = dict(re.findall(r"([\w-]+): *(.*?)\r\n", "".join(self._rest())))
                method = request.split()[0]
                more = {
                    "OPTIONS": "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n",
                    "DESCRIBE": f"Content-Type: application/sdp\r\nContent-Length: {len(description)}\r\n",
                    "SETUP": "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n",
                }.get(method, "Session: 1\r\n")
                body = description if method == "DESCRIBE" else ""
                self.wfile.write(f"RTSP/1.0 200 OK\r\nCSeq: {fields['CSeq']}\r\n{more}\r\n{body}".encode())
                if method == "PLAY":
                    self._play()
                    return

        def _rest(self) -> Iterator[str]:
            while (line := self.rfile.readline().decode()) not in ("\r\n", ""):
                yield line

        def _play(self) -> None:
            sequence = 0
            for number in range(10_000):
                units = frames[number % len(frames)]
                for place, unit in enumerate(units):
                    marker = 0x80 if place == len(units) - 1 else 0
                    head = struct.pack(">BBHII", 0x80, marker | 96, sequence & 0xFFFF, number * _TICKS, 1)
                    try:
                        self.wfile.write(b"$\x00" + struct.pack(">H", len(head + unit)) + head + unit)
                    except OSError:
                        return
                    sequence += 1
                if ended.wait(1 / RATE):
                    return

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"rtsp://127.0.0.1:{server.server_address[1]}/live"
    finally:
        ended.set()
        server.shutdown()
        server.server_close()
        thread.join()
