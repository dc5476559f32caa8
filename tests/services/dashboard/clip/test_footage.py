import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from services.dashboard.archive import archived_clips
from services.dashboard.clip import footage
from shared.folders import content_digest
from shared.queues import clips
from shared.queues.broker import Broker
from shared.queues.clips import Clip
from shared.settings import Settings, environment_of
from tests.services.dashboard.made import answer_all, commit_frames, made_clip, start_clip, write_results

FILM = bytes(range(256)) * 40


@pytest.fixture
def server(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    for name, value in environment_of(settings).items():
        monkeypatch.setenv(name, value)
    with TestClient(Starlette(routes=[footage.route()])) as client:
        yield client


@pytest.fixture
def film(settings: Settings) -> Path:
    path = settings.incoming / "evening" / "la_la.mp4"
    path.parent.mkdir(parents=True)
    path.write_bytes(FILM)
    return path


def running(broker: Broker, film: Path) -> Clip:
    clip = msgspec.structs.replace(made_clip(), path=str(film.absolute()), content=content_digest(film))
    start_clip(broker, clip, started_s=1.0)
    return clip


def finished(broker: Broker, settings: Settings, film: Path) -> Path:
    """Results that the broker has forgotten, of a clip that lies in `done/`."""
    clip = running(broker, film)
    commit_frames(broker, clip, range(20), last=True)
    answer_all(broker)
    folder = write_results(broker, clip, settings.results)
    broker.client.flushall()
    return folder


def test_a_part_of_a_running_clip_is_served(server: TestClient, broker: Broker, film: Path) -> None:
    clip = running(broker, film)
    answer = server.get(footage.address(clip.id, "original"), headers={"Range": "bytes=100-299"})
    assert answer.status_code == 206
    assert answer.content == FILM[100:300]
    assert answer.headers["content-range"] == f"bytes 100-299/{len(FILM)}"
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert server.get(footage.address(clip.id, "original")).content == FILM


def test_a_part_beyond_the_end_is_refused(server: TestClient, broker: Broker, film: Path) -> None:
    clip = running(broker, film)
    answer = server.get(footage.address(clip.id, "original"), headers={"Range": f"bytes={len(FILM)}-"})
    assert answer.status_code == 416


@pytest.mark.parametrize("place", ["evening/la_la.mp4", "evening/la_la (2).mp4", "elsewhere.mp4"])
def test_a_finished_clip_is_found_by_its_content(
    server: TestClient, broker: Broker, settings: Settings, film: Path, place: str
) -> None:
    finished(broker, settings, film)
    moved = settings.done / place
    moved.parent.mkdir(parents=True, exist_ok=True)
    film.rename(moved)
    other = settings.done / "other.mp4"
    other.write_bytes(FILM[::-1])
    assert server.get(footage.address("clip-1", "original")).content == FILM


def test_a_clip_that_is_gone_is_not_found(
    server: TestClient, broker: Broker, settings: Settings, film: Path
) -> None:
    finished(broker, settings, film)
    film.unlink()
    assert server.get(footage.address("clip-1", "original")).status_code == 404


def test_the_annotated_video_lies_with_the_results(
    server: TestClient, broker: Broker, settings: Settings, film: Path
) -> None:
    folder = finished(broker, settings, film)
    assert server.get(footage.address("clip-1", "annotated")).status_code == 404
    (folder / "annotated.mp4").write_bytes(b"drawn on")
    assert server.get(footage.address("clip-1", "annotated")).content == b"drawn on"


@pytest.mark.parametrize(
    "path",
    [
        "/footage/unknown/original",
        "/footage/clip-1/timeline.csv",
        "/footage/clip-1/..%2Fsummary.json",
        "/footage/..%2F..%2Fsecret/original",
        "/footage/%2Fetc%2Fpasswd/original",
        "/footage/clip-1/original/more",
    ],
)
def test_nothing_else_is_served(server: TestClient, broker: Broker, film: Path, path: str) -> None:
    running(broker, film)
    assert server.get(path).status_code == 404


def test_a_path_outside_the_folders_is_not_served(
    server: TestClient, broker: Broker, settings: Settings, tmp_path: Path, film: Path
) -> None:
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(b"secret")
    link = settings.incoming / "link.mp4"
    link.symlink_to(secret)
    clip = running(broker, film)
    for path in (secret, link, settings.incoming / ".." / ".." / "secret.mp4"):
        clips.update(broker, clip.id, path=str(path), content="")
        assert server.get(footage.address(clip.id, "original")).status_code == 404


def test_a_clip_that_looks_like_a_page_is_none(server: TestClient, broker: Broker, film: Path) -> None:
    page = film.with_suffix(".html")
    film.rename(page)
    answer = server.get(footage.address(running(broker, page).id, "original"))
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-security-policy"].startswith("sandbox")


def test_blurred_faces_are_not_shown_unblurred(broker: Broker, settings: Settings, film: Path) -> None:
    clip = running(broker, film)
    assert footage.versions(settings, clip) == ["original"]
    assert footage.versions(settings, msgspec.structs.replace(clip, blur=True)) == []
    assert footage.versions(settings.model_copy(update={"blur": True}), clip) == []


def test_of_a_blurred_clip_the_annotated_video_plays_also_once_the_broker_has_forgotten_it(
    server: TestClient, broker: Broker, settings: Settings, film: Path
) -> None:
    folder = finished(broker, settings, film)
    (folder / "annotated.mp4").write_bytes(b"blurred")
    summary = json.loads((folder / "summary.json").read_text())
    hidden = settings.model_copy(update={"blur": True})
    for blur, now, versions in (
        (False, settings, ["original", "annotated"]),
        (False, hidden, []),
        (True, settings, ["annotated"]),
        (True, hidden, ["annotated"]),
    ):
        (folder / "summary.json").write_text(json.dumps(summary | {"blur": blur}))
        [clip] = archived_clips(settings.results)
        assert footage.versions(now, clip) == versions
    assert server.get(footage.address("clip-1", "original")).status_code == 404
    assert server.get(footage.address("clip-1", "annotated")).content == b"blurred"


def test_without_a_broker_finished_clips_still_play(
    server: TestClient, broker: Broker, settings: Settings, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished(broker, settings, film)
    monkeypatch.setenv("REELMOOD_REDIS_URL", "redis://127.0.0.1:1/0")
    assert server.get(footage.address("clip-1", "original")).content == FILM
