"""The state of clips and of the house → HTML. Every text from outside is escaped here."""

import re
from collections.abc import Iterable
from html import escape

from services.dashboard.readers import Progress, Survey
from services.dashboard.times import clock
from shared.queues.clips import Clip, State
from shared.queues.presence import Service


def meter(fraction: float | None, state: State) -> str:
    """Return a thin progress bar; none for a clip that waits or failed, striped where no length is known."""
    if state in (State.QUEUED, State.FAILED):
        return ""
    width = 100 if fraction is None else 100 * fraction
    unknown = " rm-unknown" if fraction is None else ""
    return f'<div class="rm-meter rm-{state.value}{unknown}"><i style="width:{width:.1f}%"></i></div>'


def status(clip: Clip, progress: Progress) -> str:
    """Return one line that says how far a clip is, in words."""
    faces_read = f"{clip.done:,} of {clip.faces:,} faces read"
    match clip.state:
        case State.QUEUED:
            parts = ["waiting for its turn"]
        case State.FINISHING:
            parts = ["writing its files", faces_read]
        case State.FAILED:
            return "could not be analysed"
        case State.DONE:
            parts = [f"{clip.frames:,} frames", f"{clip.done:,} faces"]
        case State.RUNNING:
            total = f" of {clip.frames_expected:,}" if clip.frames_expected else ""
            parts = [f"{clip.frames:,}{total} frames", faces_read]
    if clip.live and clip.latency_s and clip.state is State.RUNNING:
        parts.append(f"{clip.latency_s:.2f} s behind the camera")
    parts += [f"{count:,} dropped ({reason.replace('_', ' ')})" for reason, count in clip.dropped.items()]
    if clip.failed:
        parts.append(f"{clip.failed:,} given up")
    if progress.rate is not None:
        parts.append(f"{progress.rate:,.0f} frames/s")
    if progress.left_s:
        parts.append(f"about {clock(progress.left_s)} left")
    return " · ".join(parts)


def headline(clip: Clip, progress: Progress) -> str:
    """Return the head of a clip's page: its name, state, progress bar and status line."""
    return (
        f'<div class="rm-head"><h2>{escape(clip.name)}</h2>{badge(clip.state)}'
        f'<p class="rm-quiet">{escape(status(clip, progress))}</p></div>'
        f"{meter(progress.fraction, clip.state)}"
    )


def badge(state: State) -> str:
    """Return a clip's state as a small coloured label."""
    return f'<span class="rm-badge rm-{state.value}">{state.value}</span>'


def entry(clip: Clip, progress: Progress) -> str:
    """Return what stands below a clip's name in the list: its state and how far it is."""
    if clip.state not in (State.RUNNING, State.FINISHING):
        return f'<p class="rm-quiet">{clip.state.value}</p>'
    share = f" · {100 * progress.fraction:.0f} %" if progress.fraction is not None else ""
    left = f" · {clock(progress.left_s)} left" if progress.left_s else ""
    return f'{meter(progress.fraction, clip.state)}<p class="rm-quiet">{clip.state.value}{share}{left}</p>'


def facts(survey: Survey) -> list[str]:
    """Return short sentences about the house: workers and their speed, what waits, what was given up."""
    workers = [one for one in survey.services if one.kind == "worker"]
    depths = survey.depths
    return [
        f"{len(workers)} {'worker' if len(workers) == 1 else 'workers'}",
        f"{sum(one.rate for one in workers):,.0f} faces/s",
        f"{depths.get('faces', 0):,} faces waiting",
        f"{depths.get('queries', 0):,} searches waiting",
        f"{depths.get('clips', 0):,} clips waiting",
        *([f"{depths['dead']:,} given up"] if depths.get("dead") else []),
    ]


def chips(parts: Iterable[str], problem: str = "") -> str:
    """Return short facts side by side; a problem takes their place."""
    shown = f'<span class="rm-problem">{escape(problem)}</span>' if problem else ""
    return (
        '<div class="rm-chips">'
        + (shown or "".join(f"<span>{escape(part)}</span>" for part in parts))
        + "</div>"
    )


def note(text: str) -> str:
    """Return a quiet remark."""
    return f'<p class="rm-note">{escape(text)}</p>'


def empty(title: str, text: str) -> str:
    """Return a calm page that has nothing to show yet."""
    return f'<div class="rm-empty"><h2>{escape(title)}</h2><p>{escape(text)}</p></div>'


def services(alive: Iterable[Service]) -> str:
    """Return the table of the services that are alive."""
    head = "".join(f"<th>{name}</th>" for name in ("service", "does", "device", "model", "per second"))
    rows = "".join(
        "<tr>"
        + "".join(
            f"<td>{escape(text)}</td>"
            for text in (one.name, one.kind, one.device or "–", one.model or "–", f"{one.rate:,.1f}")
        )
        + "</tr>"
        for one in alive
    )
    return f'<div class="rm-wide"><table class="rm-services"><tr>{head}</tr>{rows}</table></div>'


def plain(text: str) -> str:
    """Return a text in which Markdown finds nothing to do."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!~$:<>|&])", r"\\\1", text)
