import numpy as np
import pytest

from services.dashboard.clip.figures import figures_of
from services.dashboard.clip.shown import EVERYONE, MAIN, shown_of
from services.dashboard.view import View
from shared.emotions import EMOTIONS
from shared.people import People


def view_of(*stretches: tuple[int, str, int]) -> View:
    """A view of stretches of faces: track, emotion, frames."""
    tracks = np.concatenate([np.full(count, track) for track, _, count in stretches])
    emotions = np.concatenate([np.full(count, EMOTIONS.index(name)) for _, name, count in stretches])
    shares = np.full((len(tracks), 7), 0.05, np.float32)
    shares[np.arange(len(tracks)), emotions] = 0.7
    return View(
        "clip",
        time_s=np.arange(len(tracks)) / 25,
        track=tracks,
        shot=np.zeros(len(tracks), np.int64),
        probabilities=shares,
        last_frame=len(tracks) - 1,
        last_s=(len(tracks) - 1) / 25,
    )


def test_each_person_has_shares_of_the_time_seen() -> None:
    view = view_of((0, "happy", 30), (0, "sad", 10), (1, "fear", 20))
    (first, second) = figures_of(view, shown_of(view, People())).persons
    assert first[0] == 0
    assert first[1] == pytest.approx(1.6)
    assert first[2]["happy"] == pytest.approx(0.75)
    assert second[2]["fear"] == pytest.approx(1)


def test_merged_tracks_are_one_person() -> None:
    view = view_of((0, "happy", 25), (3, "sad", 25))
    figures = figures_of(view, shown_of(view, People(merged={3: 0})))
    assert [person for person, _, _ in figures.persons] == [0]
    assert {moment.track for moment in figures.moments} == {0}
    assert figures.changes == [("happy", "sad", 1)]


def test_who_is_hidden_is_not_counted() -> None:
    view = view_of((0, "happy", 25), (1, "sad", 25))
    figures = figures_of(view, shown_of(view, People(hidden=frozenset({0}))))
    assert [person for person, _, _ in figures.persons] == [1]
    assert figures_of(view, shown_of(view, People(hidden=frozenset({0, 1})))).persons == []


def test_a_choice_stands_for_tracks_that_are_not_hidden() -> None:
    view = view_of((0, "happy", 25), (1, "sad", 20), (2, "sad", 5))
    shown = shown_of(view, People(names={1: "Mia"}, merged={2: 1}, hidden=frozenset({0})))
    assert shown.chosen(view, 1) == [1, 2]
    assert shown.chosen(view, EVERYONE) == [1, 2]
    assert shown.chosen(view, MAIN) == [1]
    assert (shown.name(1), shown.name(MAIN)) == ("Mia", MAIN)
