import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.recorder.summary import build_summary
from services.recorder.timeline import build_timeline
from shared.emotions import EMOTIONS
from tests.services.recorder.makers import HAPPY, SAD, clip, frames, place, reading


def test_shares_are_of_face_time_not_of_rows() -> None:
    table = build_timeline(
        frames([0.0, 3.0, 4.0]), [reading(place(0), SAD), reading(place(1), HAPPY), reading(place(2), None)]
    )
    summary = build_summary(clip(faces=3), table, [])
    assert summary["emotions"]["sad"] == pytest.approx(0.75)
    assert summary["emotions"]["happy"] == pytest.approx(0.25)
    assert summary["failed_faces"] == 1
    assert summary["duration_s"] == pytest.approx(6.0)


def test_counts() -> None:
    table = build_timeline(
        frames([0.0, 0.04, 0.08, 0.12]),
        [
            reading(place(0, 0, track=0)),
            reading(place(0, 1, track=1)),
            reading(place(1, 0, track=0)),
            reading(place(3, 0, track=0)),
        ],
    )
    job = clip(name="films/one.mp4", width=640, height=360, started_s=10.0, finished_s=12.0, faces=4)
    summary = build_summary(job, table, ["half of the clip is missing"])
    assert summary["id"] == job.id
    assert (summary["clip"], summary["source"]) == ("films/one.mp4", "one.mp4")
    assert (summary["width"], summary["height"]) == (640, 360)
    assert [summary[key] for key in ("frames", "frames_with_faces", "faces", "tracks", "shots")] == [
        4,
        3,
        4,
        2,
        1,
    ]
    assert summary["dropped"] == {"frame_lost": 0}
    assert (summary["wall_s"], summary["frames_per_s"]) == (2.0, 2.0)
    assert summary["warnings"] == ["half of the clip is missing"]


def test_a_track_number_in_two_shots_is_two_tracks() -> None:
    shots = [*frames([0.0]), frames([0.0, 0.04])[1]]
    shots[1] = type(shots[1])(1, 0.04, 1, 1)
    table = build_timeline(shots, [reading(place(0)), reading(place(1, shot=1))])
    summary = build_summary(clip(), table, [])
    assert (summary["tracks"], summary["shots"]) == (2, 2)


def test_a_gap_in_the_frames_is_told() -> None:
    table = build_timeline([frames([0.0])[0], *frames([0.0, 0.1, 0.2, 0.3])[3:]], [])
    assert build_summary(clip(), table, [])["dropped"] == {"frame_lost": 2}


def test_nothing_decoded_is_still_a_summary() -> None:
    summary = build_summary(clip(), build_timeline([], []), [])
    assert (summary["frames"], summary["emotions"], summary["frames_per_s"]) == (0, {}, None)


def test_a_picture_has_shares_although_it_takes_no_time() -> None:
    summary = build_summary(clip(), build_timeline(frames([0.0]), [reading(place(0))]), [])
    assert summary["emotions"]["happy"] == 1.0


@given(
    st.lists(st.floats(0, 1e4), min_size=1, max_size=10, unique=True).map(sorted),
    st.lists(
        st.tuples(st.integers(0, 9), st.integers(0, 3), st.sampled_from([HAPPY, SAD, None])), max_size=20
    ),
)
def test_shares_sum_to_one_and_all_is_json(
    times: list[float], found: list[tuple[int, int, list[float] | None]]
) -> None:
    table = build_timeline(
        frames(times), [reading(place(frame, face), values) for frame, face, values in found]
    )
    summary = build_summary(clip(), table, [])
    shares = summary["emotions"]
    if table["emotion"].notna().any():
        assert list(shares) == list(EMOTIONS)
        assert sum(shares.values()) == pytest.approx(1)
    else:
        assert shares == {}
    json.dumps(summary, allow_nan=False)
