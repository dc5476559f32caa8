"""The seven basic emotions: their order, their colours, and the label sets of published data sets."""

from typing import Final, Literal

EMOTIONS: Final = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
"""The order used everywhere inside Reelmood."""

COLOURS: Final[dict[str, str]] = {
    "angry": "#d55e00",
    "disgust": "#009e73",
    "fear": "#8a5fbf",
    "happy": "#e69f00",
    "neutral": "#8c8c8c",
    "sad": "#0072b2",
    "surprise": "#cc79a7",
}
"""One colour per emotion, from the Okabe-Ito palette (told apart by colour-blind people)."""

LabelSet = Literal["rafdb", "affectnet7", "affectnet8", "fer2013", "ckplus"]

LABEL_SETS: Final[dict[LabelSet, tuple[str, ...]]] = {
    "rafdb": ("surprise", "fear", "disgust", "happy", "sad", "angry", "neutral"),
    "affectnet7": ("neutral", "happy", "sad", "surprise", "fear", "disgust", "angry"),
    "affectnet8": ("neutral", "happy", "sad", "surprise", "fear", "disgust", "angry", "contempt"),
    "fer2013": EMOTIONS,
    "ckplus": ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral", "contempt"),
}
"""Output orders of published checkpoints, by the name that `models import --labels` takes."""


def columns_of(labels: tuple[str, ...]) -> list[int]:
    """Return for each of `EMOTIONS` the index of its output in a model whose outputs are `labels`.

    Outputs that are not among the seven (contempt) are left out. Raises ValueError when one of the seven
    is missing from `labels` or stands in it twice.
    """
    if len(set(labels)) != len(labels) or not set(EMOTIONS) <= set(labels):
        raise ValueError(f"labels must name each of {', '.join(EMOTIONS)} once, not {', '.join(labels)}")
    return [labels.index(emotion) for emotion in EMOTIONS]
