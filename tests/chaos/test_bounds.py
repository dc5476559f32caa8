"""Thirty clips and a worker that is too slow for them: whatever piles up stays within its bounds."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from services.dashboard import archive
from services.dashboard.readers import survey
from shared.queues import clips, jobs, work
from shared.queues.broker import Broker
from shared.queues.clips import Clip, State
from shared.settings import Settings, environment_of
from tests.chaos.inside import serving
from tests.clips import draw, write_clip
from tests.integration.reelmood import COMMAND, eventually

CLIPS: Final = 30
FRAMES: Final = 16
FACES: Final = 2 * FRAMES
"""Faces of a clip: two in every frame."""
HIGH_WATER: Final = 48
COMMIT_FRAMES: Final = 4
CLIPS_WAITING: Final = 6
_BATCH: Final = 8
_BATCH_S: Final = 0.06
_MEMORY: Final = 3 << 20
"""What the broker may take beyond its start; the faces of all clips at once would take more than that."""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Settings with low marks, and streams that go soon after their clip."""
    marks = {"high_water": HIGH_WATER, "low_water": HIGH_WATER // 2, "clips_high_water": CLIPS_WAITING}
    small = {"batch_size": _BATCH, "commit_frames": COMMIT_FRAMES, "keep_s": 1, "crop_size": 160}
    return settings.model_copy(update={**marks, **small, "jpeg_quality": 100, "explain_every_s": 0.1})


@dataclass
class Peak:
    """The most that was seen at once: entries on each work stream, clips queued, bytes of the broker."""

    faces: int = 0
    queries: int = 0
    clips: int = 0
    memory: int = 0

    def look(self, broker: Broker) -> None:
        depths = work.depths(broker)
        self.faces = max(self.faces, depths["faces"])
        self.queries = max(self.queries, depths["queries"])
        self.clips = max(self.clips, jobs.lengths(broker)["clips"])
        self.memory = max(self.memory, int(broker.client.info("memory")["used_memory"]))


def test_everything_stays_within_its_bounds(settings: Settings, broker: Broker) -> None:
    start = int(broker.client.info("memory")["used_memory"])
    expected = _drop_clips(settings)
    peak, pause = Peak(), threading.Event()

    def slowly(_: list[int]) -> None:
        if peak.faces < HIGH_WATER:
            eventually(lambda: work.depths(broker)["faces"] >= HIGH_WATER, "the stream is full")
        pause.wait(_BATCH_S)
        peak.look(broker)

    with _processes(settings), serving(settings, broker, slowly):
        eventually(lambda: len(_done(broker)) == CLIPS, "all clips are done")

    commit = 2 * COMMIT_FRAMES
    assert HIGH_WATER <= peak.faces < HIGH_WATER + commit
    assert peak.queries < HIGH_WATER + commit
    # One more when the turn of the clip that was being ingested ended.
    assert 0 < peak.clips <= CLIPS_WAITING + 1
    crops = CLIPS * FACES * expected
    assert peak.memory - start < _MEMORY < crops

    streams = f"{settings.prefix}:{{0}}:*:"
    eventually(lambda: not _keys(broker, streams), "the finished clips' streams have expired")
    assert work.depths(broker) == {"faces": 0, "queries": 0, "dead": 0}
    shown = {clip.id: clip for clip in [*survey(broker).clips, *archive.archived_clips(settings.results)]}
    assert len(shown) == CLIPS
    for clip in shown.values():
        view = archive.load(clip.id, Path(clip.out))
        assert len(view.time_s) == FACES
        assert view.last_frame == FRAMES - 1
        assert view.explained is not None


def _drop_clips(settings: Settings) -> int:
    """Put the clips into the incoming folder, and return what a face of theirs takes at least, in bytes."""
    for number in range(CLIPS):
        write_clip(
            settings.incoming / f"{number:02}.mp4",
            [
                draw((80 + step, 90, 90), (230, 90, 84), width=320, height=180, background=(120, number, 40))
                for step in range(FRAMES)
            ],
        )
    return 4000


def _done(broker: Broker) -> list[Clip]:
    ended = [clip for clip in clips.recent(broker) if clip.state in (State.DONE, State.FAILED)]
    assert [clip.error for clip in ended if clip.error] == []
    return ended


def _keys(broker: Broker, pattern: str) -> list[bytes]:
    kinds = ("frames", "results", "neighbours")
    return [key for kind in kinds for key in broker.client.keys(pattern.replace("*", kind) + "*")]


@contextmanager
def _processes(settings: Settings) -> Iterator[None]:
    """Run the watcher, one runner and the recorder, until the block ends."""
    environment = {**os.environ, **environment_of(settings), "OMP_NUM_THREADS": "1"}
    parts = (("ingest", "--part", "watcher"), ("ingest", "--part", "runner"), ("recorder",))
    with ExitStack() as stack:
        for part in parts:
            process = subprocess.Popen([*COMMAND, *part], env=environment, stderr=sys.stderr)
            stack.callback(process.wait, 30)
            stack.callback(process.terminate)
        yield
