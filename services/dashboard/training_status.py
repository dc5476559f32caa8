"""Training runs → HTML. Every text from outside is escaped here."""

from collections.abc import Sequence
from html import escape

from services.dashboard.status import chips
from services.dashboard.times import clock
from services.dashboard.training_charts import FIGURES
from services.dashboard.training_view import Run
from shared import runs
from shared.queues.presence import Service
from shared.queues.trainings import State

_SHARES = ("label_accuracy", "label_macro_f1", "majority_accuracy", "majority_macro_f1")
_BADGES = {
    State.QUEUED: "queued",
    State.RUNNING: "running",
    State.STOPPED: "queued",
    State.DONE: "done",
    State.FAILED: "failed",
}


def house(services: Sequence[Service], waiting: int, problem: str) -> str:
    """Return short facts about who trains."""
    trainers = sum(one.kind == "trainer" for one in services)
    parts = [_count(trainers, "trainer"), f"{_count(waiting, 'run')} waiting"]
    return chips(parts, problem)


def headline(run: Run) -> str:
    """Return the head of a run's page: its name, state, progress bar and status line."""
    badge = f'<span class="rm-badge rm-{_class_of(run)}">{run.label}</span>'
    if run.is_active:
        badge += '<span class="rm-badge">active model</span>'
    return (
        f'<div class="rm-head"><h2>{escape(run.name)}</h2>{badge}'
        f'<p class="rm-quiet">{escape(line(run))}</p></div>{meter(run)}'
    )


def line(run: Run) -> str:
    """Return how far a run is, in words."""
    live, parts = run.progress, []
    if run.state is State.QUEUED and not run.history:
        return "waiting for a trainer"
    if run.state is State.RUNNING and live is None:
        parts.append("validating, or getting ready to go on" if run.history else "getting ready")
    if live is not None:
        parts += [f"epoch {live.epoch} of {live.epochs}", f"step {live.step:,} of {live.steps:,}"]
        parts.append("loss " + ("not a number" if live.loss is None else f"{live.loss:.3f}"))
    elif run.epochs:
        parts.append(f"{len(run.history)} of {run.epochs} epochs")
    parts += [f"{FIGURES[name]} {_percent(run.history[-1][name])}" for name in _measured(run)]
    if live is not None and live.left_s is not None:
        parts.append(f"about {clock(live.left_s)} left")
    return " · ".join(parts)


def meter(run: Run) -> str:
    """Return a thin progress bar; none for a run that has failed or is not known to go on."""
    if run.state in (None, State.FAILED):
        return ""
    return f'<div class="rm-meter rm-{_class_of(run)}"><i style="width:{100 * run.fraction:.1f}%"></i></div>'


def entry(run: Run) -> str:
    """Return what stands below a run's name in the list."""
    text = run.label
    if run.is_under_way and run.fraction:
        text += f" · {100 * run.fraction:.0f} %"
    if run.history and (accuracy := runs.accuracy_of(run.history[-1])) is not None:
        text += f" · {_percent(accuracy)}"
    bar = meter(run) if run.state is State.RUNNING else ""
    return f'{bar}<p class="rm-quiet">{escape(text)}</p>'


def table(shown: Sequence[Run]) -> str:
    """Return the compared runs side by side: what each was asked to do, and the best it came to."""
    names = [name for name in _SHARES if any(run.best(name) is not None for run in shown)]
    head = ["run", "data", "from", "epochs", *(f"best {FIGURES[name]}" for name in names), "s/epoch"]
    rows = [
        [run.name, *_asked(run), *(_percent(run.best(name)) for name in names), _pace(run)] for run in shown
    ]
    return (
        '<div class="rm-wide"><table class="rm-services"><tr>'
        + "".join(f"<th>{escape(name)}</th>" for name in head)
        + "</tr>"
        + "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
        + "</table></div>"
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _asked(run: Run) -> list[str]:
    epochs = f"{len(run.history)} of {run.epochs}" if run.epochs else str(len(run.history))
    return [str(run.spec.get("dataset", "–")), str(run.spec.get("init", "–")), epochs]


def _pace(run: Run) -> str:
    seconds = [row["seconds"] for row in run.history if "seconds" in row]
    return f"{sum(seconds) / len(seconds):,.1f}" if seconds else "–"


def _measured(run: Run) -> list[str]:
    """Return the accuracies of the last epoch."""
    last = run.history[-1] if run.history else {}
    return [name for name in _SHARES if name.endswith("accuracy") and name in last]


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"


def _class_of(run: Run) -> str:
    return _BADGES[run.state] if run.state else "queued"
