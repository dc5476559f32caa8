"""The dashboard's process is told to stop while somebody still fetches from it."""

import socket

import msgspec

from services.dashboard.clip import footage
from shared.folders import content_digest
from shared.queues.broker import Broker
from shared.settings import Settings
from tests.browser.conftest import running_dashboard
from tests.services.dashboard.made import made_clip, start_clip

# More than the buffers of both ends hold together.
FILM_BYTES = 64 * 1024 * 1024


def test_a_player_that_has_paused_does_not_hold_it_up(broker: Broker, settings: Settings, port: int) -> None:
    film = settings.incoming / "film.mp4"
    film.parent.mkdir(parents=True)
    with film.open("wb") as file:
        file.truncate(FILM_BYTES)
    clip = msgspec.structs.replace(made_clip(), path=str(film.absolute()), content=content_digest(film))
    start_clip(broker, clip, started_s=1.0)
    with socket.socket() as player, running_dashboard(settings, port):
        player.connect(("127.0.0.1", port))
        path = footage.address(clip.id, "original")
        player.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        assert player.recv(64).startswith(b"HTTP/1.1 200")
