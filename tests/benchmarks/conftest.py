"""What the benchmarks' tests share: a short clip, and one house for all that need the real services."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import pipeline
from benchmarks.house import House
from benchmarks.models import Choice
from tests.clips import draw, write_clip

FRAMES = 12


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare each benchmark its second of watching the processor."""
    monkeypatch.setattr("benchmarks.machine.psutil.cpu_percent", lambda interval: 50.0)


@pytest.fixture(scope="session")
def two_faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip of twelve frames of 320×180 with two faces in each."""
    frames = [draw((80 + number, 90, 90), (230, 90, 90), width=320, height=180) for number in range(FRAMES)]
    return write_clip(tmp_path_factory.mktemp("two") / "two faces.mp4", frames)


@pytest.fixture(scope="session")
def settings_of_house(two_faces: Path) -> pipeline.Settings:
    return pipeline.Settings(clips=(str(two_faces),), model=Choice(name="nano"), repeats=1, gallery=50)


@pytest.fixture(scope="session")
def opened(
    settings_of_house: pipeline.Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[House, dict[str, Path]]]:
    """All services with the bundled model, and the clip by its label."""
    with pipeline.opened(settings_of_house, tmp_path_factory.mktemp("models")) as both:
        yield both
