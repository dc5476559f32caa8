from pathlib import Path

import numpy as np

from services.dashboard.library.shelf import Library, refresh
from services.dashboard.search.asked import of_finished, of_running
from shared.emotions import EMOTIONS
from shared.queues.broker import Broker
from tests.services.dashboard.library.made import MODEL, Seen, finish_clip, sharp_face
from tests.services.dashboard.made import (
    answer_all,
    commit_frames,
    explanation_of,
    made_clip,
    probabilities_at,
    start_clip,
)


def test_a_face_of_a_finished_clip_comes_with_its_picture(tmp_path: Path) -> None:
    finish_clip(tmp_path, "one", [Seen(), Seen("sad", 0.6, direction=(0, 1, 0), track=3)])
    library = refresh(Library(), tmp_path)
    asked = of_finished(library, "one", 3, 1)
    assert asked is not None
    assert (asked.name, asked.time_s, asked.emotion, asked.picture) == ("one.mp4", 0.04, "sad", sharp_face(1))
    assert (asked.query.model, asked.query.clip, asked.query.track, asked.query.frame) == (MODEL, "one", 3, 1)
    np.testing.assert_array_equal(asked.query.embedding, [0, 1, 0])
    assert of_finished(library, "one", 3, 0) is None


def test_a_face_of_a_clip_under_way_comes_from_the_broker(broker: Broker) -> None:
    clip = made_clip()
    start_clip(broker, clip, started_s=1.0)
    commit_frames(broker, clip, range(50))
    answer_all(broker)
    asked = of_running(broker, clip, 0, 12)
    assert asked is not None
    assert asked.emotion == EMOTIONS[int(np.argmax(probabilities_at(12, 0)))]
    assert asked.picture == explanation_of(12, 0).aligned
    assert (asked.query.model, asked.query.frame, asked.time_s) == ("nano", 12, 12 / 25)
    assert of_running(broker, clip, 0, 13) is None
    assert of_running(broker, clip, 9, 12) is None
