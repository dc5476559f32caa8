"""A network that breaks or falls silent between the services and their broker: they connect again, go on."""

import time
from pathlib import Path
from urllib.parse import urlsplit

import pandas as pd
import pytest

from shared.queues.embedded import embedded_broker
from shared.settings import Settings
from tests.chaos import ground
from tests.chaos.ground import (
    BUSY,
    Measure,
    assert_nothing_left,
    assert_same,
    assert_settled,
    drop,
    faces_read,
    pause,
    timeline,
    until_read,
    wait_until_done,
)
from tests.chaos.network import Weather, network
from tests.integration.reelmood import eventually, up

OUTAGE_S = {Weather.CUT: 3.0, Weather.SILENT: 25.0}
"""A silence is noticed by the socket's timeout of 5 s, and tried again three times before it is told of."""


@pytest.mark.parametrize("weather", [Weather.CUT, pytest.param(Weather.SILENT, marks=pytest.mark.long)])
def test_after_an_outage_the_services_connect_again_and_go_on(
    weather: Weather,
    clip: Path,
    undisturbed: pd.DataFrame,
    tmp_path: Path,
    port: int,
    monkeypatch: pytest.MonkeyPatch,
    measure: Measure,
) -> None:
    with (
        embedded_broker(tmp_path) as url,
        network(urlsplit(url).port or 0) as between,
    ):
        monkeypatch.setattr(ground, "settings_of", lambda running: Settings(redis_url=url, home=running.home))
        through = url.replace(f":{urlsplit(url).port}/", f":{between.port}/")
        with up(tmp_path / "home", port=port, REELMOOD_REDIS_URL=through, **BUSY) as running:
            eventually(lambda: len(running.workers()) == 1, "the worker is ready")
            done = drop(clip, running)
            for faces in (8, 120):
                until_read(running, faces)
                between.turn(weather)
                pause(1)
                read = faces_read(running)
                pause(OUTAGE_S[weather])
                assert faces_read(running) == read
                between.turn(Weather.FINE)
                healed = time.monotonic()
                until_read(running, read + 8)
                measure("faces are read again after", time.monotonic() - healed)
            wait_until_done(running, done)
            assert_settled(running)
        assert "waiting for the broker" in running.log.read_text()
        assert_nothing_left(running)
    assert_same(timeline(running, "two"), undisturbed)
