"""Label sets map onto the seven emotions."""

import pytest

from shared.emotions import COLOURS, EMOTIONS, LABEL_SETS, columns_of


@pytest.mark.parametrize("labels", LABEL_SETS.values())
def test_every_label_set_holds_the_seven(labels: tuple[str, ...]) -> None:
    assert tuple(labels[column] for column in columns_of(labels)) == EMOTIONS


@pytest.mark.parametrize("labels", [EMOTIONS[1:], (*EMOTIONS, "happy"), ()])
def test_a_label_set_that_does_not_fit_is_refused(labels: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="labels must name"):
        columns_of(labels)


def test_every_emotion_has_a_colour_of_its_own() -> None:
    assert set(COLOURS) == set(EMOTIONS)
    assert len(set(COLOURS.values())) == len(EMOTIONS)
