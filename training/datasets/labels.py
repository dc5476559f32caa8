"""Names of emotions: what data sets and people call them, and the two label sets there are."""

from collections.abc import Iterable
from typing import Final

from shared.emotions import EMOTIONS
from shared.errors import DataError

EIGHT: Final = (*EMOTIONS, "contempt")
"""The label set of the data sets that know contempt."""

SYNONYMS: Final[dict[str, str]] = {
    **{emotion: emotion for emotion in EIGHT},
    "anger": "angry",
    "disgusted": "disgust",
    "fearful": "fear",
    "afraid": "fear",
    "happiness": "happy",
    "joy": "happy",
    "neutrality": "neutral",
    "sadness": "sad",
    "surprised": "surprise",
    "contemptuous": "contempt",
}
"""The emotion by the names it goes by, in small letters."""


def numbered(labels: tuple[str, ...], first: int) -> dict[str, str]:
    """Return the emotion by its number in a data set that counts from `first` in the order of `labels`."""
    return {str(number): label for number, label in enumerate(labels, first)}


def label_set_of(emotions: Iterable[str], source: str) -> tuple[str, ...]:
    """Return the label set that `emotions` make up: the seven, or the eight with contempt.

    Raises DataError, naming `source`, when one of the seven is missing.
    """
    present = set(emotions)
    missing = [emotion for emotion in EMOTIONS if emotion not in present]
    if missing:
        raise DataError(f"{source} has nothing for {', '.join(missing)}")
    return EIGHT if "contempt" in present else EMOTIONS
