"""The confusion of a training run → HTML. Every text from outside is escaped here."""

from html import escape
from typing import Final

from shared.runs import Confusion

_TRUTHS: Final = {"label": "labels", "majority": "FER+ majority"}
_DEEPEST: Final = 55
"""Per cent of blue where a whole row is in one cell; the text on it stays readable in light and dark."""


def matrices(confusion: Confusion) -> str:
    """Return a table for each truth: rows the truth, columns what was said, the shares of a row shaded."""
    tables = "".join(_table(confusion, truth) for truth in confusion.counts)
    return f'<div class="rm-confusions">{tables}</div>'


def _table(confusion: Confusion, truth: str) -> str:
    labels, counts = confusion.labels, confusion.counts[truth]
    total = sum(map(sum, counts))
    right = sum(counts[index][index] for index in range(len(labels)))
    accuracy = f"{100 * right / total:.1f} % right" if total else "none"
    head = "".join(f'<th scope="col"><span>{escape(label)}</span></th>' for label in labels)
    rows = "".join(_row(labels, index, row) for index, row in enumerate(counts))
    caption = f"{escape(_TRUTHS.get(truth, truth))} · {total:,} pictures, {accuracy}"
    return (
        f'<table class="rm-confusion"><caption>{caption}</caption>'
        f'<tr><th class="rm-quiet">truth ↓ said →</th>{head}<th scope="col"><span>recall</span></th></tr>'
        f"{rows}</table>"
    )


def _row(labels: tuple[str, ...], truth: int, counts: list[int]) -> str:
    total = sum(counts)
    cells = "".join(
        f'<td title="{escape(f"{labels[truth]} taken for {said}: {count:,} of {total:,}")}" '
        f'style="background:{_shade(count / max(total, 1))}">{count:,}</td>'
        for said, count in zip(labels, counts, strict=True)
    )
    recall = f"{100 * counts[truth] / total:.0f} %" if total else "–"
    return f'<tr><th scope="row">{escape(labels[truth])}</th>{cells}<td>{recall}</td></tr>'


def _shade(share: float) -> str:
    return f"color-mix(in srgb, #0072b2 {_DEEPEST * share:.0f}%, transparent)"
