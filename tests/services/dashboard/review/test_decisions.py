from pathlib import Path
from typing import Any

import pytest

from services.dashboard.library.shelf import Library, refresh
from services.dashboard.review.decisions import TAKEN_BACK, keep
from services.dashboard.review.doubtful import Doubt, Reasons, gather
from shared import corrections
from shared.corrections import NO_FACE, PICTURES
from tests.services.dashboard.library.made import MODEL, Seen, finish_clip, sharp_face

CONTENT = "12-00000000000000000000000000000000"


@pytest.fixture
def doubts(tmp_path: Path) -> tuple[Doubt, ...]:
    faces = [Seen("sad", 0.31, 0.3, track=1), Seen("fear", 0.32, 0.3, track=2)]
    finish_clip(tmp_path / "results", "one", faces, content=CONTENT)
    return gather(refresh(Library(), tmp_path / "results"), Reasons(), (), 9).doubts


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "corrections"


def test_a_decision_is_kept_with_the_original_picture(doubts: tuple[Doubt, ...], folder: Path) -> None:
    keep(folder, doubts, {doubts[0].key: "happy"})
    [one] = corrections.read(folder)
    assert (one.label, one.predicted, one.model, one.clip, one.content) == (
        "happy",
        "sad",
        MODEL,
        "one",
        CONTENT,
    )
    assert (one.frame, one.face, one.track, one.time_s, one.name) == (0, 0, 1, 0.0, "one.mp4")
    assert one.confidence == pytest.approx(0.31)
    assert one.picture == doubts[0].key
    assert (folder / PICTURES / one.picture).read_bytes() == sharp_face(0)


def test_the_last_decision_counts_and_can_be_taken_back(doubts: tuple[Doubt, ...], folder: Path) -> None:
    first, second = (doubt.key for doubt in doubts)
    keep(folder, doubts, {first: "happy", second: "fear"})
    keep(folder, doubts, {first: "angry", second: TAKEN_BACK})
    assert [one.label for one in corrections.read(folder)] == ["angry"]


def test_what_is_no_face_is_kept_as_such(doubts: tuple[Doubt, ...], folder: Path) -> None:
    keep(folder, doubts, {doubts[0].key: NO_FACE})
    [one] = corrections.read(folder)
    assert (one.label, one.predicted, one.picture) == (NO_FACE, "sad", doubts[0].key)


def test_the_same_decisions_again_change_nothing(doubts: tuple[Doubt, ...], folder: Path) -> None:
    keep(folder, doubts, {doubts[0].key: "happy"})
    before = (folder / corrections.LABELS_FILE).stat().st_mtime_ns
    keep(folder, doubts, {doubts[0].key: "happy"})
    assert (folder / corrections.LABELS_FILE).stat().st_mtime_ns == before


@pytest.mark.parametrize(
    "answer", [None, "happy", [], {}, {"other": "happy"}, {"KEY": "bored"}, {"KEY": ["happy"]}]
)
def test_what_makes_no_sense_is_passed_over(doubts: tuple[Doubt, ...], folder: Path, answer: Any) -> None:
    if isinstance(answer, dict):
        answer = {key.replace("KEY", doubts[0].key): label for key, label in answer.items()}
    keep(folder, doubts, answer)
    assert not folder.exists()
