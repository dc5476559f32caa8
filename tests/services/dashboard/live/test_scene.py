import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dashboard.live.scene import Scene, follow, picture_of, ribbon_of, with_readings
from shared.emotions import EMOTIONS
from shared.messages import Box, Preview, Reading, Seen
from shared.queues import clips, previews
from shared.queues.broker import Broker
from tests.services.dashboard.made import answer_all, commit_frames, made_clip, place_of, start_clip


def preview(frame: int, *tracks: int) -> Preview:
    return Preview(
        frame=frame,
        time_s=frame / 25,
        width=640,
        height=360,
        picture=b"jpeg",
        faces=[Seen(track, Box(10, 10, 50, 50)) for track in tracks],
    )


def reading(frame: int, emotion: str | None = "happy", face: int = 0) -> Reading:
    shares = [0.9 if one == emotion else 0.1 / 6 for one in EMOTIONS] if emotion else None
    return Reading(place=place_of("c", frame, face, 0), model="nano", probabilities=shares, aligned=True)


def test_the_newest_picture_whose_faces_are_read_is_shown() -> None:
    scene = Scene(pictures=(preview(0, 0), preview(25, 0), preview(50, 0)))
    assert picture_of(scene) == preview(50, 0)
    scene = with_readings(scene, [reading(0), reading(25, "sad")])
    assert picture_of(scene) == preview(25, 0)
    assert scene.labels[25, 0][0] == "sad"


def test_a_picture_without_faces_is_shown_once_the_faces_have_come_so_far() -> None:
    scene = Scene(pictures=(preview(0, 0), preview(25)))
    scene = with_readings(scene, [reading(0)])
    assert picture_of(scene) == preview(0, 0)
    assert picture_of(with_readings(scene, [reading(30)])) == preview(25)


def test_without_a_picture_there_is_none() -> None:
    assert picture_of(Scene()) is None


def test_labels_go_with_their_pictures() -> None:
    scene = with_readings(Scene(pictures=(preview(0, 0),)), [reading(0)])
    later = with_readings(Scene(pictures=(preview(900, 0),), labels=scene.labels), [reading(900, None)])
    assert later.labels == {}


def test_a_page_that_was_closed_catches_up(broker: Broker) -> None:
    clip = made_clip()
    start_clip(broker, clip, started_s=1.0)
    for number in range(0, 100, 25):
        previews.put(broker, clip.id, preview(number, 0))
    commit_frames(broker, clip, range(50))
    answer_all(broker)
    scene = follow(broker, clip.id, Scene(), 10)
    assert len(scene.pictures) == 4
    assert picture_of(scene) == preview(25, 0)
    commit_frames(broker, clip, range(50, 100))
    answer_all(broker)
    late = follow(broker, clip.id, scene, 10)
    at_once = follow(broker, clip.id, Scene(), 10)
    assert picture_of(late) == preview(75, 0)
    assert sum(int(counts.sum()) for counts in late.steps.values()) == 85
    assert ribbon_of(late, 50) == ribbon_of(at_once, 50)
    clips.forget(broker, clip.id)
    assert previews.after(broker, clip.id) == ([], "0-0")


@given(
    st.lists(st.tuples(st.floats(-1e3, 1e6), st.sampled_from(EMOTIONS)), min_size=1, max_size=60),
    st.integers(1, 300),
)
def test_a_ribbon_lies_within_its_strip_and_in_order(faces: list[tuple[float, str]], parts: int) -> None:
    scene = Scene()
    for time_s, emotion in faces:
        step = int(time_s // 0.25)
        counts = scene.steps.get(step, np.zeros(7, np.int64)).copy()
        counts[EMOTIONS.index(emotion)] += 1
        scene = Scene(steps={**scene.steps, step: counts})
    ribbon = ribbon_of(scene, parts)
    assert 0 < len(ribbon) <= parts
    edges = [edge for start, width, _ in ribbon for edge in (start, start + width)]
    assert edges == pytest.approx(sorted(edges))
    assert min(edges) >= 0
    assert max(edges) <= 1 + 1e-9
