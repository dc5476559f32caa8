"""Fixtures of the runs from end to end."""

from pathlib import Path

import pytest

from tests.clips import draw, write_clip


@pytest.fixture(scope="session")
def drawn_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip of 60 frames in two shots: one drawn face, then two on another background, then none."""
    one = [draw((80 + number, 90, 90), width=320, height=180) for number in range(30)]
    two = [
        draw((80, 90, 90), (230, 90 + number % 5, 90), width=320, height=180, background=(20, 60, 20))
        for number in range(25)
    ]
    none = [draw(width=320, height=180, background=(20, 60, 20)) for _ in range(5)]
    return write_clip(tmp_path_factory.mktemp("clips") / "drawn.mp4", [*one, *two, *none])
