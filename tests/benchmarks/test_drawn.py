import cv2
import numpy as np
from sklearn.linear_model import RidgeClassifier

from benchmarks.drawn import draw_faces


def test_every_emotion_is_drawn_equally_often() -> None:
    images, labels = draw_faces(72, seed=0)
    assert images.shape == (72, 48, 48, 1)
    assert images.dtype == np.uint8
    assert sorted(np.bincount(labels).tolist()) == [10, 10, 10, 10, 10, 11, 11]


def test_a_seed_draws_its_own_faces() -> None:
    first, labels = draw_faces(14, seed=1)
    again, same = draw_faces(14, seed=1)
    other, _ = draw_faces(14, seed=2)
    assert np.array_equal(first, again)
    assert np.array_equal(labels, same)
    assert not np.array_equal(first, other)


def test_the_emotion_can_be_told_from_the_lines() -> None:
    """A linear classifier on blurred lines is right far more often than one in seven."""
    images, labels = draw_faces(700, seed=3)
    lines = [cv2.morphologyEx(image, cv2.MORPH_BLACKHAT, np.ones((5, 5))) for image in images[..., 0]]
    blurred = np.stack([cv2.GaussianBlur(each, (0, 0), 2)[::2, ::2] for each in lines]).reshape(700, -1)
    classifier = RidgeClassifier(100.0).fit(blurred[:500], labels[:500])
    assert (classifier.predict(blurred[500:]) == labels[500:]).mean() > 0.7
