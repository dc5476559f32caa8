"""Faces drawn on a frame: box, track id, label and confidence bars (paper, Fig. 5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor, ImageDraw, ImageFont

from services.recorder.layout import Panel, place_panels
from services.recorder.timeline import top_emotion
from shared.emotions import COLOURS, EMOTIONS
from shared.messages import Box, Reading

_RGB: Final = {emotion: ImageColor.getrgb(colour)[:3] for emotion, colour in COLOURS.items()}
_UNREAD: Final = (140, 140, 140)
_WHITE: Final = (255, 255, 255)
_PALE: Final = (205, 205, 205)
_GROUND: Final = (16, 18, 22, 190)
_THICKNESS: Final = 0.65
_RAIL: Final = (72, 76, 84, 200)


@dataclass(frozen=True)
class Style:
    """Sizes in pixels of what is drawn on frames of one size."""

    font: int
    line: int
    row: int
    name: int
    bar: int
    number: int
    margin: int

    @property
    def panel(self) -> tuple[int, int]:
        """Width and height of a full panel: names, bars and numbers."""
        return self.name + self.bar + self.number + 4 * self.margin, 7 * self.row + 2 * self.margin

    @property
    def compact(self) -> tuple[int, int]:
        """Width and height of a panel of bars only."""
        return 3 * self.bar // 4 + 2 * self.margin, 7 * max(self.row // 2, 2) + 2 * self.margin


def style_for(width: int, height: int) -> Style:
    """Return the sizes for frames of `width` × `height` pixels: text of 11 pixels at 360p, 26 at 1080p."""
    font = max(9, round(4 + 0.02 * min(width, height)))
    letters = _font(font)
    return Style(
        font=font,
        line=max(2, round(font / 6)),
        row=round(1.35 * font),
        name=round(max(letters.getlength(emotion) for emotion in EMOTIONS)),
        bar=4 * font,
        number=round(letters.getlength("100")),
        margin=max(3, round(0.45 * font)),
    )


def draw_faces(
    image: NDArray[np.uint8], faces: Sequence[Reading], before: Mapping[int, Panel], style: Style
) -> tuple[NDArray[np.uint8], dict[int, Panel]]:
    """Return the frame with its faces drawn on it, and the panel of each track that shows bars.

    `image` is RGB uint8 [H, W, 3] and stays as it is; `before` holds the panels of the frame before, so that
    they keep still.
    """
    height, width = image.shape[:2]
    picture = Image.fromarray(image)
    read = [face for face in faces if face.probabilities is not None]
    panels = place_panels(
        {face.place.track: _with_tag(face, width, style) for face in read},
        before,
        (width, height),
        style.panel,
        style.compact,
        gap=style.margin,
    )
    for face in faces:
        _draw_box(picture, face, style)
    for face in faces:
        _draw_tag(picture, face, style)
    for face in read:
        _draw_panel(picture, face, panels[face.place.track], style)
    return np.asarray(picture), panels


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise RuntimeError("this Pillow was built without FreeType")
    return font


def _colour(face: Reading) -> tuple[int, ...]:
    return _RGB[top_emotion(face.probabilities)[0]] if face.probabilities else _UNREAD


def _text(face: Reading) -> str:
    if not face.probabilities:
        return f"#{face.place.track} not read"
    emotion, confidence = top_emotion(face.probabilities)
    return f"#{face.place.track} {emotion} {100 * confidence:.0f} %"


def _tag(face: Reading, width: int, style: Style) -> tuple[int, int, int, int]:
    """Return the corners of a face's tag: above its box, or at the top inside it where the frame ends."""
    box = face.place.box
    w = round(_font(style.font).getlength(_text(face))) + 2 * style.margin
    x = max(min(box.x - style.line // 2, width - w), 0)
    top = box.y - style.row - style.line // 2
    y = top if top >= 0 else max(box.y, 0)
    return x, y, x + w, y + style.row


def _with_tag(face: Reading, width: int, style: Style) -> Box:
    box, tag = face.place.box, _tag(face, width, style)
    left, top = min(box.x, tag[0]), min(box.y, tag[1])
    right, bottom = max(box.x + box.w, tag[2]), max(box.y + box.h, tag[3])
    return Box(left, top, right - left, bottom - top)


def _draw_box(picture: Image.Image, face: Reading, style: Style) -> None:
    box = face.place.box
    corners = (box.x, box.y, box.x + box.w - 1, box.y + box.h - 1)
    ImageDraw.Draw(picture).rounded_rectangle(
        corners, radius=2 * style.line, outline=_colour(face), width=style.line
    )


def _draw_tag(picture: Image.Image, face: Reading, style: Style) -> None:
    corners = _tag(face, picture.width, style)
    colour = _colour(face)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((*corners[:2], corners[2] - 1, corners[3] - 1), fill=colour)
    middle = (corners[1] + corners[3]) / 2
    draw.text(
        (corners[0] + style.margin, middle),
        _text(face),
        font=_font(style.font),
        fill=_ink(colour),
        anchor="lm",
    )


def _ink(ground: tuple[int, ...]) -> tuple[int, int, int]:
    """Return black or white, whichever is read better on `ground` (luma of ITU-R BT.601)."""
    luma = 0.299 * ground[0] + 0.587 * ground[1] + 0.114 * ground[2]
    return (0, 0, 0) if luma > 150 else _WHITE


def _draw_panel(picture: Image.Image, face: Reading, panel: Panel, style: Style) -> None:
    width, height = style.compact if panel.compact else style.panel
    layer = Image.new("RGBA", (width, height))
    draw = ImageDraw.Draw(layer)
    draw.rounded_rectangle((0, 0, width - 1, height - 1), radius=style.margin, fill=_GROUND)
    left = style.margin if panel.compact else style.name + 2 * style.margin
    length = width - 2 * style.margin if panel.compact else style.bar
    row = (height - 2 * style.margin) / len(EMOTIONS)
    probabilities = face.probabilities or []
    top = top_emotion(probabilities)[0]
    for index, (emotion, probability) in enumerate(zip(EMOTIONS, probabilities, strict=True)):
        y = style.margin + (index + 0.5) * row
        _draw_bar(draw, (left, y, length, row), probability, _RGB[emotion])
        if not panel.compact:
            ink, font = _WHITE if emotion == top else _PALE, _font(style.font)
            draw.text((left - style.margin, y), emotion, font=font, fill=ink, anchor="rm")
            draw.text((width - style.margin, y), f"{100 * probability:.0f}", font=font, fill=ink, anchor="rm")
    picture.paste(layer, (panel.x, panel.y), layer)


def _draw_bar(
    draw: ImageDraw.ImageDraw,
    place: tuple[int, float, int, float],
    probability: float,
    colour: tuple[int, ...],
) -> None:
    left, middle, length, row = place
    low = round(middle - _THICKNESS * row / 2)
    high = max(round(middle + _THICKNESS * row / 2) - 1, low)
    draw.rectangle((left, low, left + length - 1, high), fill=_RAIL)
    filled = round(probability * length)
    if filled:
        draw.rectangle((left, low, left + filled - 1, high), fill=colour)
