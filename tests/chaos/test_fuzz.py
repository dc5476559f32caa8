"""Damaged clips: each ends with files or with a reason; no process crashes, and none hangs."""

import itertools
import multiprocessing
import shutil
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Final

import pytest

from services.ingest.job import ingest
from services.recorder.job import finish
from shared.emotions import EMOTIONS
from shared.messages import Face, Reading, decode, encode
from shared.queues import clips, produce, results, work
from shared.queues.broker import Broker, connect
from shared.queues.clips import Clip, State
from shared.queues.work import Entry, Outcome, Stage
from shared.settings import Settings
from tests.chaos.ground import broker_of
from tests.chaos.mutations import mutate, mutate_header
from tests.clips import draw, walk, write_clip, write_picture
from tests.integration.reelmood import eventually, up

SHORT: Final = 40
LONG: Final = 500
_HANGS_S: Final = 120
"""A clip takes seconds; this only tells a hang from a slow machine."""
_ENDED: Final = (State.DONE, State.FAILED)
_KINDS: Final = (
    ("mp4", "libx264", "yuv420p"),
    ("mov", "libx264", "yuv444p"),
    ("mkv", "libx264", "yuv420p"),
    ("ts", "libx264", "yuv420p"),
    ("avi", "mpeg4", "yuv420p"),
    ("webm", "libvpx", "yuv420p"),
    ("gif", "gif", "rgb8"),
)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings under which no clip waits for workers, and a hang is one soon."""
    limits = {"decode_limit_s": 20.0, "decode_frame_s": 1.0, "max_frames": 50, "high_water": 10**6}
    return settings.model_copy(update={**limits, "explain_every_s": 1e9})


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Sound clips of every container, and pictures."""
    folder = tmp_path_factory.mktemp("sound")
    faststart = {"movflags": "faststart"}
    made = [
        write_clip(
            folder / f"a.{suffix}",
            walk(24),
            codec=codec,
            pixels=pixels,
            container_options=faststart if suffix in ("mp4", "mov") else None,
        )
        for suffix, codec, pixels in _KINDS
    ]
    pictures = [
        write_picture(folder / f"b.{suffix}", draw((80, 60, 60))) for suffix in ("png", "jpg", "webp")
    ]
    return made + pictures


def test_damaged_clips_end_with_files_or_a_reason(
    settings: Settings, broker: Broker, drawn: list[Path], tmp_path: Path
) -> None:
    states = _fuzz(settings, broker, drawn, tmp_path, SHORT)
    assert set(states) == set(_ENDED)


@pytest.mark.long
def test_five_hundred_damaged_clips_end_with_files_or_a_reason(
    settings: Settings, broker: Broker, drawn: list[Path], tmp_path: Path
) -> None:
    states = _fuzz(settings, broker, drawn, tmp_path, LONG)
    assert set(states) == set(_ENDED)


@pytest.mark.long
@pytest.mark.shared
def test_five_hundred_damaged_real_clips_end_with_files_or_a_reason(
    settings: Settings, broker: Broker, clips_dir: Path, tmp_path: Path
) -> None:
    real = sorted(path for path in clips_dir.iterdir() if path.stat().st_size and path.suffix != ".md")
    states = _fuzz(settings, broker, real, tmp_path, LONG)
    assert set(states) == set(_ENDED)


@pytest.mark.parametrize("count", [10, pytest.param(200, marks=pytest.mark.long)])
def test_no_service_dies_of_damaged_clips(
    drawn: list[Path], clip: Path, tmp_path: Path, port: int, count: int
) -> None:
    random, folder = Random(7 * count), tmp_path / "damaged"
    folder.mkdir()
    for number, source in zip(range(count), itertools.cycle(drawn)):
        damaged = mutate(random, source.read_bytes())
        (folder / f"{number}{source.suffix}").write_bytes(damaged + b"%d" % number)
    with up(tmp_path / "home", port=port, REELMOOD_STABLE_S="0", REELMOOD_ANNOTATE="true") as running:
        broker = broker_of(running)
        for path in sorted(folder.iterdir()):
            shutil.copy(path, running.home / "incoming")
        eventually(lambda: len(_ended(broker)) == count, "every damaged clip has ended")
        shutil.copy(clip, running.home / "incoming")
        running.wait_for(running.home / "done" / clip.name)
        assert all(one.error or one.out for one in _ended(broker))
        assert {name: held for name, held in running.status()["queues"].items() if held} == {}
    log = running.log.read_text()
    assert "Traceback" not in log
    assert "starting it again" not in log


def _ended(broker: Broker) -> list[Clip]:
    return [one for one in clips.recent(broker, 1000) if one.state in _ENDED]


def _fuzz(settings: Settings, broker: Broker, sound: Sequence[Path], folder: Path, count: int) -> list[State]:
    random = Random(count)
    states = []
    for number in range(count):
        source = sound[number % len(sound)]
        damage = mutate_header if random.random() < 0.25 else mutate
        path = settings.incoming / f"{number}{source.suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(damage(random, source.read_bytes()))
        kept = Path(shutil.copy(path, folder / path.name))
        states.append(_run(settings, broker, path))
        kept.unlink()
        broker.client.flushall()
    return states


def _run(settings: Settings, broker: Broker, path: Path) -> State:
    """Analyse a clip in a process of its own, and return how it ended."""
    clip = Clip(
        id="c",
        name=path.name,
        path=str(path),
        results=str(settings.results),
        model="m",
        annotate=True,
    )
    assert clips.create(broker, clip)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=_analyse, args=(settings,))
    process.start()
    process.join(_HANGS_S)
    if process.exitcode is None:
        process.kill()
        process.join()
        pytest.fail(f"{path.name} hangs")
    assert process.exitcode == 0, path.name
    ended = clips.get(broker, "c")
    assert ended is not None
    assert not path.exists(), path.name
    assert ended.error or ended.frames, path.name
    assert "\n" not in ended.error
    return ended.state


def _analyse(settings: Settings) -> None:
    broker = connect(settings)
    ingest(settings, broker, "c")
    clip = clips.get(broker, "c")
    assert clip is not None
    if clip.state is State.FAILED:
        assert clip.error
        assert (settings.failed / f"{clip.name}.error.json").is_file()
        return
    assert produce.position(broker, "c").finished
    unreadable: list[str] = []
    frames, _ = results.frames(broker, "c", refused=unreadable.append)
    assert [frame.frame for frame in frames] == list(range(clip.frames))
    assert unreadable == []
    work.take(broker, Stage.FACES, "w", 1, 1)
    while (under_way := clips.get(broker, "c")) is not None and under_way.pending:
        entries = work.take(broker, Stage.FACES, "w", 100, 1)
        work.commit(broker, Stage.FACES, [_read(entry) for entry in entries])
    finish(settings, broker, "c")
    assert (settings.results / Path(clip.name).stem / "timeline.parquet").is_file()


def _read(entry: Entry) -> Outcome:
    probabilities = [1.0] + [0.0] * (len(EMOTIONS) - 1)
    place = decode(Face, entry.data).place
    return Outcome(entry, encode(Reading(place=place, model="m", probabilities=probabilities, aligned=True)))
