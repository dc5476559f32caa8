"""The house → HTML. Every text from outside is escaped here."""

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from services.dashboard.system.disk import Disk, Folder, Model
from services.dashboard.system.report import Queue
from services.dashboard.times import clock
from shared.queues.letters import Row
from shared.queues.presence import Service

_UNITS = ("B", "kB", "MB", "GB", "TB")
_SCARCE = 0.1
"""Share of a disk below which what is free is little."""


def services(alive: Iterable[Service]) -> str:
    """Return the table of services."""
    rows = [
        (
            one.name,
            one.kind,
            one.device or "–",
            one.model or "–",
            one.note,
            f"{one.handled:,}",
            f"{one.rate:,.1f}",
        )
        for one in alive
    ]
    return table(("service", "does", "device", "model", "remark", "handled", "per second"), rows, numbers=2)


def queues(waiting: Iterable[Queue]) -> str:
    """Return the table of queues."""
    rows = [
        (one.name, f"{one.waiting:,}", f"{one.in_hand:,}", _age(one.oldest_s) if one.waiting else "–")
        for one in waiting
    ]
    return table(("queue", "waiting", "of them in hand", "oldest"), rows, numbers=3)


def rates(by_kind: Mapping[str, float], dropped: Mapping[str, int]) -> list[str]:
    """Return speeds, and what has been dropped since the broker's data began, as short facts."""
    lost = [
        f"{count:,} frames dropped ({reason.replace('_', ' ')})" for reason, count in dropped.items() if count
    ]
    return [f"{rate:,.1f} {kind}/s" for kind, rate in by_kind.items()] + lost


def letter(row: Row) -> str:
    """Return what a dead letter was and why it was given up."""
    where = [row.name]
    if row.time_s is not None:
        where.append(f"at {clock(row.time_s, 1)}")
    if row.track is not None:
        where.append(f"track {row.track}")
    where.append({"faces": "face", "queries": "search"}.get(row.stage or "", "of no stage"))
    return (
        f'<div class="rm-letter"><p>{escape(row.error) or "no reason was given"}</p>'
        f'<p class="rm-quiet">{escape(" · ".join(where))} · {escape(row.when or row.id)}</p></div>'
    )


def models(known: Sequence[Model]) -> str:
    """Return the table of models."""
    rows = [
        (
            one.name,
            one.size,
            "active" if one.active else "active before" if one.before else "",
            _bytes(one.bytes),
        )
        for one in known
    ]
    return table(("model", "size", "", "on disk"), rows, numbers=1)


def disk(space: Disk) -> str:
    """Return the table of folders and the bar of the disk that they are on."""
    used = 1 - space.free / max(1, space.total)
    kind = "failed" if space.free < _SCARCE * space.total else "done"
    return (
        f'<p class="rm-quiet">{_bytes(space.free)} of {_bytes(space.total)} free</p>'
        f'<div class="rm-meter rm-{kind}"><i style="width:{100 * used:.1f}%"></i></div>'
        + table(("folder", "files", "on disk"), [_folder(one) for one in space.folders], numbers=2)
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]], numbers: int) -> str:
    """Return a table of texts; the last `numbers` columns are figures."""
    first = len(head) - numbers

    def line(cells: Sequence[str], tag: str) -> str:
        return "".join(
            f"<{tag}{' class=rm-figure' if at >= first else ''}>{escape(cell)}</{tag}>"
            for at, cell in enumerate(cells)
        )

    body = "".join(f"<tr>{line(row, 'td')}</tr>" for row in rows)
    return f'<div class="rm-wide"><table class="rm-table"><tr>{line(head, "th")}</tr>{body}</table></div>'


def _folder(one: Folder) -> tuple[str, str, str]:
    more = "" if one.whole else "more than "
    return one.name, f"{more}{one.files:,}", f"{more}{_bytes(one.bytes)}"


def _bytes(count: float) -> str:
    power = 0 if count < 1000 else min(len(_UNITS) - 1, int(math.log10(count) // 3))
    scaled = count / 1000**power
    return f"{scaled:,.{0 if power == 0 or scaled >= 100 else 1}f} {_UNITS[power]}"


def _age(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else clock(seconds)
