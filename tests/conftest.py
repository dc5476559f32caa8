"""Fixtures that all tests share: a real broker, a home of their own, the clips of the development machine."""

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from shared.queues.broker import Broker, connect
from shared.queues.embedded import embedded_broker, free_port
from shared.settings import Settings

# Threads that wait for each other make a busy machine crawl.
os.environ["OMP_NUM_THREADS"] = "1"
# How long an example takes says more of the machine than of the code.
hypothesis.settings.register_profile("reelmood", deadline=None)
hypothesis.settings.load_profile("reelmood")

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def broker_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of one embedded broker for the whole run."""
    with embedded_broker(tmp_path_factory.mktemp("broker-home")) as url:
        yield url


@pytest.fixture
def settings(broker_url: str, tmp_path: Path) -> Settings:
    """Settings with a home of the test's own, on the run's broker."""
    return Settings(home=tmp_path / "home", redis_url=broker_url, prefix="test", stable_s=0, poll_s=0.02)


@pytest.fixture
def broker(settings: Settings) -> Iterator[Broker]:
    """The run's broker, emptied before and after."""
    connected = connect(settings)
    connected.client.flushall()
    yield connected
    connected.client.flushall()
    connected.client.close()


@pytest.fixture(scope="session")
def s3() -> Iterator[dict[str, str]]:
    """The variables that lead to one S3 server on loopback for the whole run."""
    from tests.s3 import serving  # slow to load, and few tests need it

    with serving() as variables:
        yield variables


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of data sets and golden answers, beside the checkout; skips where there is none."""
    if not SHARED.is_dir():
        pytest.skip("the development data are not on this machine")
    return SHARED


@pytest.fixture(scope="session")
def clips_dir(shared_data: Path) -> Path:
    """The folder of real clips, beside the checkout; skips where there is none."""
    return shared_data / "clips"


@pytest.fixture
def port() -> int:
    """A free port on loopback."""
    return free_port()
