import json
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from services.dashboard.clip.lanes import lanes_of
from services.dashboard.clip.payload import Look, noted, offset_s, payload, screen, thumbnail, with_faces
from services.dashboard.view import View, series_of
from shared.people import Note, People
from tests.services.dashboard.made import explanation_of, made_clip


def view_of(count: int) -> View:
    return View(
        "clip",
        time_s=np.arange(count) / 25,
        track=np.arange(count) // 100,
        shot=np.arange(count) // 1000,
        probabilities=np.random.default_rng(0).dirichlet(np.ones(7), count).astype(np.float32),
        shots={number: number * 40.0 for number in range(-(-count // 1000))},
        last_frame=count - 1,
        last_s=(count - 1) / 25,
        archived=True,
    )


def data_of(view: View, look: Look = Look()) -> dict[str, object]:  # noqa: B008 - it is frozen
    end_s = view.last_s + view.frame_s
    return payload(view, series_of(view, None), lanes_of(view, People(), end_s), end_s, look)


def test_a_long_clip_is_as_much_to_draw_as_a_short_one() -> None:
    short, long = (json.dumps(data_of(view_of(count))) for count in (2_000, 20_000))
    assert len(long) < 3 * len(short)
    assert len(long) < 250_000


def test_the_part_in_view_is_drawn_more_finely() -> None:
    data = data_of(view_of(10_000), Look(window=(100.0, 104.0)))
    detail = data["detail"]
    assert isinstance(detail, dict)
    assert (detail["from"], detail["to"]) == (98.0, 106.0)
    assert len(detail["t"]) > 190
    assert data_of(view_of(100))["detail"] is None


def test_cuts_are_marked_but_not_the_start() -> None:
    assert data_of(view_of(3_000))["cuts"] == [40.0, 80.0]


@pytest.mark.parametrize(("start", "offset"), [(0.0, 0.0), (2.0, 0.0), (-1.0, -1.0), (60.0, 60.0)])
def test_players_count_odd_starts_from_zero(start: float, offset: float) -> None:
    assert offset_s(replace(view_of(10), shots={0: start})) == offset


def test_a_face_becomes_a_small_picture() -> None:
    lanes = with_faces([{"person": 1}, {"person": 2}], {1: explanation_of(0, 0).aligned})
    assert lanes[0]["face"].startswith("data:image/jpeg;base64,")
    assert lanes[1]["face"] == thumbnail(b"no picture") == ""


def test_says_why_there_is_nothing_to_play() -> None:
    clip = made_clip("a b")
    assert screen(clip, ["original"], blurred=False)["sources"][0]["address"] == "/footage/a%20b/original"
    assert "no longer" in screen(clip, [], blurred=False)["says"]
    assert "recognised" in screen(clip, [], blurred=True)["says"]
    assert "not recorded" in screen(msgspec.structs.replace(clip, live=True), [], blurred=False)["says"]


def test_notes_are_times_and_texts() -> None:
    assert noted([Note(1.5, "here")]) == [(1.5, "here")]
