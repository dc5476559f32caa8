import numpy as np

from shared.emotions import LABEL_SETS
from training.datasets.faces import Faces
from training.datasets.labels import EIGHT


def faces() -> Faces:
    images = np.arange(3, dtype=np.uint8)[:, None, None, None].repeat(2, 1).repeat(2, 2)
    return Faces(images, np.array([7, 0, 3], np.int64), ("a", "b", "c"), EIGHT, ("S1", "S1", "S2"))


def test_take_keeps_rows_together() -> None:
    two = faces().take([2, 0])
    assert (two.names, two.subjects, two.label_set) == (("c", "a"), ("S2", "S1"), EIGHT)
    assert two.labels.tolist() == [3, 7]
    assert two.images[:, 0, 0, 0].tolist() == [2, 0]


def test_labels_are_mapped_by_name() -> None:
    # Contempt, angry and happy, which AffectNet's order has at 7, 6 and 1.
    assert faces().labels_in(LABEL_SETS["affectnet8"]).tolist() == [7, 6, 1]
