"""A face that makes the model raise, and one that ends the worker: both are given up, and no other is."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest

from services import programs, supervisor
from services.supervisor import Program, supervise
from shared.queues import clips, dead, work
from shared.queues.broker import Broker, connect
from shared.queues.clips import Clip, State
from shared.queues.embedded import embedded_broker
from shared.settings import Settings, environment_of
from tests.chaos.fragile import KILLS, RAISES
from tests.chaos.ground import EXACT, MEASURED, assert_same
from tests.clips import draw, write_clip
from tests.integration.reelmood import eventually, run

POISON = {20: RAISES, 40: KILLS}


@pytest.fixture(scope="module")
def poisoned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip of 60 frames with one face, before a background of its own in two of them."""
    frames = [
        draw((80 + number, 90, 90), width=320, height=180, background=POISON.get(number, (120, 120, 120)))
        for number in range(60)
    ]
    return write_clip(tmp_path_factory.mktemp("clips") / "poisoned.mp4", frames)


@contextmanager
def _running(settings: Settings) -> Iterator[None]:
    fragile = Program("worker", [sys.executable, "-m", "tests.chaos.fragile"], environment_of(settings))
    stop = threading.Event()
    everything = [*programs.analysis(settings, 0, watch=True), fragile]
    thread = threading.Thread(target=supervise, args=(everything, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_poison_is_given_up_with_its_reason_and_harms_no_other(
    poisoned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = run("analyze", poisoned, "--out", tmp_path / "undisturbed", **EXACT)
    assert answer.returncode == 0, answer.stderr
    expected = pd.read_parquet(tmp_path / "undisturbed" / "poisoned" / "timeline.parquet")
    monkeypatch.setattr(supervisor, "_BACKOFF_S", (0.0,))
    with embedded_broker(tmp_path) as url:
        settings = Settings(
            home=tmp_path / "home", redis_url=url, stable_s=0, batch_size=8, precision="float32"
        )
        settings.incoming.mkdir(parents=True)
        broker = connect(settings)
        with _running(settings):
            poisoned.rename(settings.incoming / "poisoned.mp4")
            eventually(lambda: _state(broker) is State.DONE, "the clip is done")
        clip = _only(broker)
        assert (clip.done, clip.failed, clip.faces, clip.pending) == (len(expected) - 2, 2, len(expected), 0)
        assert [letter.error for letter in dead.letters(broker)] == [
            "ValueError: a colour that cannot be borne",
            "3 workers took it and none finished",
        ]
        assert work.depths(broker) == {"faces": 0, "queries": 0, "dead": 2}
    actual = pd.read_parquet(settings.results / "poisoned" / "timeline.parquet")
    hurt = actual.frame.isin(POISON)
    assert actual[hurt].emotion.isna().all()
    places = [name for name in actual.columns if name not in (*MEASURED, "emotion", "aligned")]
    pd.testing.assert_frame_equal(actual.loc[hurt, places], expected.loc[hurt, places])
    assert_same(actual[~hurt], expected[~hurt])


def _only(broker: Broker) -> Clip:
    [clip] = clips.recent(broker)
    return clip


def _state(broker: Broker) -> State | None:
    known = clips.recent(broker)
    return known[0].state if known else None
