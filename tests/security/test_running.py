"""A whole running Reelmood: who reaches it, where its secrets stand, and what a forgotten clip leaves."""

import http.client
import ipaddress
import json
import shutil
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pyarrow.parquet as pq
import pytest

from shared.faces.detection import HaarDetector
from shared.queues.broker import address_file, connect
from shared.settings import Settings
from shared.video import open_clip
from tests.clips import walk, write_clip
from tests.integration.reelmood import Up, eventually, run, up

NAMES = ("<img src=x onerror=alert(1)>.mp4", "kept.mp4")


@dataclass(frozen=True)
class House:
    """A running Reelmood with two clips, one after the other, and the dashboard's port."""

    running: Up
    port: int
    outside: socket.socket
    """A proxy for all requests to the outside, that nobody should call."""

    @property
    def home(self) -> Path:
        return self.running.home

    @property
    def password(self) -> str:
        return urlsplit(address_file(self.home).read_text()).password or ""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    home = folder / "home"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    settings = {"REELMOOD_STABLE_S": "0", "REELMOOD_BLUR": "true", "REELMOOD_LOG_LEVEL": "debug"}
    with socket.create_server(("127.0.0.1", 0)) as outside:
        proxy = f"http://127.0.0.1:{outside.getsockname()[1]}"
        settings |= {"HTTP_PROXY": proxy, "HTTPS_PROXY": proxy}
        yield from _house(folder, home, port, outside, settings)


def _house(
    folder: Path, home: Path, port: int, outside: socket.socket, settings: dict[str, str]
) -> Iterator[House]:
    with up(home, port=port, **settings) as running:
        for number, name in enumerate(NAMES):
            clip = write_clip(folder / f"{number}.mp4", walk(16 + number))
            shutil.copy(clip, home / "incoming" / name)
            running.wait_for(home / "done" / name)
            eventually(lambda: _states(running) == {"done"}, "the clip is done")
        yield House(running, port, outside)


def _states(running: Up) -> set[str]:
    return {clip["state"] for clip in running.status()["clips"]}


def test_everything_listens_on_loopback_only(house: House) -> None:
    processes = [house.running.process, *house.running.processes()]
    listening = {
        (process.pid, connection.laddr.ip, connection.laddr.port)
        for process in processes
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN or connection.type == socket.SOCK_DGRAM
    }
    ports = {port for _, _, port in listening}
    assert {house.port, urlsplit(address_file(house.home).read_text()).port} <= ports
    assert all(ipaddress.ip_address(address).is_loopback for _, address, _ in listening), listening


def test_the_password_stands_nowhere_but_in_files_of_its_owner(house: House) -> None:
    assert len(house.password) >= 24
    environment = {"REELMOOD_HOME": str(house.home), "REELMOOD_LOG_LEVEL": "debug"}
    answers = [run(*words, **environment) for words in (["status", "--json"], ["doctor"])]
    assert [answer.returncode for answer in answers] == [0, 0], answers[1].stdout
    told = [answer.stdout + answer.stderr for answer in answers]
    told += [" ".join(process.cmdline()) for process in house.running.processes()]
    told.append(house.running.log.read_text())
    assert not [text for text in told if house.password in text]
    holding = [path for path in house.home.rglob("*") if path.is_file() and _holds(path, house.password)]
    assert {path.name for path in holding} <= {"address", "broker.conf"}
    assert {path.stat().st_mode & 0o077 for path in holding} == {0}


def _holds(path: Path, text: str) -> bool:
    return text.encode() in path.read_bytes()


def test_a_page_of_another_origin_gets_no_connection(house: House) -> None:
    assert _upgrade(house.port, f"http://127.0.0.1:{house.port}") == 101
    assert _upgrade(house.port, "http://elsewhere.example") == 403


def test_nobody_outside_is_asked(house: House) -> None:
    """Streamlit would ask for this machine's outer address in order to refuse a page of another origin."""
    assert _upgrade(house.port, "http://elsewhere.example") == 403
    house.outside.setblocking(False)
    with pytest.raises(BlockingIOError):
        house.outside.accept()


def _upgrade(port: int, origin: str) -> int:
    """Ask for the dashboard's WebSocket as a page of `origin` would, and return the answer's status."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        "Origin": origin,
    }
    try:
        connection.request("GET", "/_stcore/stream", headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


def test_blurred_results_hold_no_picture_of_a_face(house: House) -> None:
    for name in NAMES:
        summary = _summary_of(house.home, name)
        assert _frames_with_faces(house.home / "done" / name) > 12
        assert _frames_with_faces(summary.with_name("annotated.mp4")) == 0
        moments = pq.read_table(summary.with_name("moments.parquet"))
        assert moments.num_rows
        assert set(moments["aligned"].to_pylist()) == {b""}


def _frames_with_faces(video: Path) -> int:
    detector = HaarDetector(0.125)
    with open_clip(video) as footage:
        return sum(bool(detector.detect(frame.image)) for frame in footage.frames)


def _summary_of(home: Path, name: str) -> Path:
    for path in home.glob("results/*/summary.json"):
        if json.loads(path.read_text())["clip"] == name:
            return path
    pytest.fail(f"there are no results of {name}")


def test_a_forgotten_clip_leaves_nothing(house: House) -> None:
    """The last test of the house: the clip that it forgets is one of two."""
    gone, kept = NAMES
    summary = json.loads(_summary_of(house.home, gone).read_text())
    traces = [gone.encode(), summary["id"].encode(), summary["content"].encode()]
    kept_moments = _summary_of(house.home, kept).with_name("moments.parquet")
    assert gone in str(pq.read_table(kept_moments)["neighbours"].to_pylist())
    broker = connect(Settings(home=house.home))
    assert all(_in_broker(broker.client, trace) for trace in traces)
    assert any(path.suffix == ".aof" for path in _in_files(house.home, traces))

    answer = run("forget", gone, "--yes", REELMOOD_HOME=str(house.home))
    assert answer.returncode == 0, answer.stderr
    assert str(house.home / "done" / gone) in answer.stdout

    assert not [trace for trace in traces if _in_broker(broker.client, trace)]
    broker.client.close()
    assert not [path for path in house.home.rglob("*") if gone in path.name]
    assert not _in_files(house.home, traces)
    assert gone not in str(pq.read_table(kept_moments)["neighbours"].to_pylist())
    assert (house.home / "done" / kept).is_file()
    assert [clip["name"] for clip in house.running.status()["clips"]] == [kept]
    again = run("forget", gone, "--yes", REELMOOD_HOME=str(house.home))
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr == f"reelmood: nothing is kept of {gone}\n"


def _in_broker(client: Any, trace: bytes) -> bool:
    """Tell whether a text stands in any key of the broker, or in what it holds."""
    return any(trace in key or trace in (client.dump(key) or b"") for key in client.keys("*"))


def _in_files(home: Path, traces: list[bytes]) -> set[Path]:
    """Return the files of a home that hold one of the texts, but for the log of what was done."""
    files = (path for path in home.rglob("*") if path.is_file() and path.name != "up.log")
    return {path for path in files if any(trace in path.read_bytes() for trace in traces)}
