"""A scene → HTML. Every text from outside is escaped here."""

from base64 import b64encode
from collections.abc import Sequence
from html import escape
from typing import Final

from services.dashboard import status
from services.dashboard.live.scene import Scene, picture_of, ribbon_of
from services.dashboard.readers import Progress
from shared.emotions import COLOURS
from shared.messages import Preview, Seen
from shared.queues.clips import Clip
from shared.queues.presence import Service

_PARTS: Final = 160
_SCREEN: Final = 16 / 9
_LABEL: Final = 0.12
"""Share of the picture's height that a label takes above its box."""
_UNREAD: Final = "#b9bec7"


def picture(scene: Scene) -> str:
    """Return the picture that was analysed last, with boxes, track ids and labels drawn over it."""
    shown = picture_of(scene)
    if shown is None:
        return '<div class="rm-screen"><p class="rm-quiet">the picture comes with the first frames</p></div>'
    source = f"data:image/jpeg;base64,{b64encode(shown.picture).decode()}"
    side = "width" if shown.width / shown.height > _SCREEN else "height"
    boxes = "".join(_box(scene, shown, face) for face in shown.faces)
    return (
        f'<div class="rm-screen"><div class="rm-frame" style="{side}:100%;'
        f'aspect-ratio:{shown.width}/{shown.height}">'
        f'<img src="{source}" alt="frame {shown.frame}" decoding="sync">{boxes}</div></div>'
    )


def _box(scene: Scene, shown: Preview, face: Seen) -> str:
    box, label = face.box, scene.labels.get((shown.frame, face.track))
    words = f"{face.track} {label[0]} {100 * label[1]:.0f} %" if label else f"{face.track} …"
    sides = [
        ("left", box.x / shown.width),
        ("top", box.y / shown.height),
        ("width", box.w / shown.width),
        ("height", box.h / shown.height),
    ]
    place = "".join(f"{name}:{100 * share:.2f}%;" for name, share in sides)
    colour = COLOURS[label[0]] if label else _UNREAD
    below = " rm-below" if box.y < _LABEL * shown.height else ""
    left = " rm-leftwards" if box.x > shown.width / 2 else ""
    return (
        f'<div class="rm-found{below}{left}" style="{place}border-color:{colour}">'
        f"<span>{escape(words)}</span></div>"
    )


def ribbon(scene: Scene) -> str:
    """Return the most frequent emotion over the time so far as a strip of colours."""
    parts = "".join(
        f'<i title="{emotion}" style="left:{100 * start:.2f}%;width:{100 * width:.2f}%;'
        f'background:{COLOURS[emotion]}"></i>'
        for start, width, emotion in ribbon_of(scene, _PARTS)
    )
    return f'<div class="rm-ribbon" role="img" aria-label="emotions so far">{parts}</div>'


def headline(clip: Clip, progress: Progress) -> str:
    """Return a running clip's name, state, progress and what is known of it."""
    kind = '<span class="rm-badge rm-live">live</span>' if clip.live else status.badge(clip.state)
    trouble = status.note(clip.error or clip.held) if clip.error or clip.held else ""
    return (
        f'<div class="rm-scene"><h3>{escape(clip.name)}</h3>{kind}</div>'
        f"{status.meter(progress.fraction, clip.state)}"
        f'<p class="rm-quiet rm-lines">{escape(status.status(clip, progress))}</p>{trouble}'
    )


def legend() -> str:
    """Return which colour stands for which emotion."""
    return (
        '<div class="rm-legend">'
        + "".join(
            f'<span><i style="background:{colour}"></i>{name}</span>' for name, colour in COLOURS.items()
        )
        + "</div>"
    )


def devices(services: Sequence[Service]) -> list[str]:
    """Return what the workers run on, and with which model, each once."""
    workers = [one for one in services if one.kind == "worker"]
    return sorted({" · ".join(filter(None, (one.device, one.model))) for one in workers} - {""})


def waiting(clips: Sequence[Clip], limit: int = 8) -> str:
    """Return the clips that wait for their turn, as a line."""
    names = ", ".join(escape(clip.name) for clip in clips[:limit])
    more = f" and {len(clips) - limit:,} more" if len(clips) > limit else ""
    return f'<p class="rm-quiet">waiting for their turn: {names}{more}</p>'
