"""The report of an evaluation that a person keeps: Markdown, JSON and two pictures."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from shared.errors import DataError
from training.evaluation.calibration import BINS
from training.evaluation.intervals import LEVEL, RESAMPLES, Interval, wilson
from training.evaluation.measurement import Measurement
from training.evaluation.plots import draw_confusion, draw_reliability
from training.metrics import Scores

CONFUSION_FILE: Final = "confusion.png"
RELIABILITY_FILE: Final = "reliability.png"


@dataclass(frozen=True)
class Provenance:
    """What was measured, and how: enough to measure it again.

    `model` is its id, `name@hash`; `data` names the data set and its split, `fingerprint` its pictures and
    labels; `view` says what the model was shown; `command` is the line that made the report; `date` is
    ISO 8601 in UTC; `versions` are those of Reelmood and of the libraries that figures depend on.
    """

    model: str
    parameters: int
    data: str
    fingerprint: str
    view: str
    device: str
    command: str
    date: str
    versions: Mapping[str, str]


@dataclass(frozen=True)
class Report:
    """Measurements of one model by the name of what counts as the truth."""

    provenance: Provenance
    measurements: Mapping[str, Measurement]

    def to_json(self) -> str:
        """Return the report as JSON; figures between 0 and 1."""
        body = {**vars(self.provenance), "scores": {k: _as_dict(m) for k, m in self.measurements.items()}}
        return json.dumps(body, indent=2) + "\n"

    def to_markdown(self, pictures: bool = False) -> str:
        """Return the report as Markdown, figures in percent; with `pictures` it shows those beside it."""
        lines = [f"# {self.provenance.model} on {self.provenance.data}", "", *_origin(self.provenance), ""]
        lines += ["| truth | pictures | accuracy | macro F1 | mean class accuracy | ECE |", "|---" * 6 + "|"]
        lines += [_summary(truth, measurement) for truth, measurement in self.measurements.items()]
        lines += ["", _EXPLANATION]
        for truth, measurement in self.measurements.items():
            lines += ["", f"## {truth}", "", *_found(measurement.scores), *_table(measurement.scores)]
        if pictures:
            lines += ["", f"![confusion matrix]({CONFUSION_FILE})"]
            lines += ["", f"![reliability diagram]({RELIABILITY_FILE})"]
        return "\n".join(lines) + "\n"


def write_report(report: Report, folder: Path) -> None:
    """Write `report.md`, `report.json`, `confusion.png` and `reliability.png` into `folder`.

    The folder is made where it is missing. Raises DataError when it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        measured = report.measurements.items()
        draw_confusion({truth: one.scores for truth, one in measured}, folder / CONFUSION_FILE)
        draw_reliability({truth: one.calibration for truth, one in measured}, folder / RELIABILITY_FILE)
        (folder / "report.json").write_text(report.to_json(), encoding="utf-8")
        (folder / "report.md").write_text(report.to_markdown(pictures=True), encoding="utf-8")
    except OSError as error:
        raise DataError(f"{folder} cannot be written: {error.strerror}") from error


_EXPLANATION: Final = (
    f"In percent. In brackets the {100 * LEVEL:.0f} % confidence interval: Wilson's for accuracy, "
    f"percentiles of a bootstrap over pictures ({RESAMPLES:,} resamples) for the other two. ECE: expected "
    f"calibration error of the predictions, in {BINS} bins of equal width."
)


def _origin(of: Provenance) -> list[str]:
    versions = ", ".join(f"{name} {version}" for name, version in of.versions.items())
    rows = {
        "model": f"{of.model}, {of.parameters:,} parameters",
        "data": f"{of.data}, fingerprint `{of.fingerprint}`",
        "shown": of.view,
        "device": of.device,
        "date": of.date,
        "versions": versions,
    }
    table = ["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows.items())]
    return [*table, "", "```sh", of.command, "```"]


def _summary(truth: str, measurement: Measurement) -> str:
    scores = measurement.scores
    cells = [
        truth,
        f"{scores.count:,}",
        _with_interval(scores.accuracy, measurement.accuracy),
        _with_interval(scores.macro_f1, measurement.macro_f1),
        _with_interval(scores.mean_class_accuracy, measurement.mean_class_accuracy),
        f"{100 * measurement.calibration.ece:.2f}",
    ]
    return f"| {' | '.join(cells)} |"


def _with_interval(figure: float, interval: Interval) -> str:
    return f"{100 * figure:.2f} ({100 * interval.low:.2f}–{100 * interval.high:.2f})"


def _found(scores: Scores) -> list[str]:
    """Say how many pictures got no prediction, where there are such."""
    missed = int(scores.missed.sum())
    if not missed:
        return []
    found = scores.answered()
    interval = wilson(int(found.confusion.trace()), found.count)
    return [
        f"No face was found in {missed:,} of {scores.count:,} pictures; they count as wrong. Of the "
        f"{found.count:,} others, in percent, {_with_interval(found.accuracy, interval)} were read right.",
        "",
    ]


def _table(scores: Scores) -> list[str]:
    """Rows the truth, columns the prediction."""
    columns = (*scores.labels, "no face") if scores.missed.any() else scores.labels
    lines = [
        f"| truth | {' | '.join(columns)} | support | recall | precision | F1 |",
        "|---" * (len(columns) + 5) + "|",
    ]
    for index, label in enumerate(scores.labels):
        counts = [*scores.confusion[index], *([scores.missed[index]] if scores.missed.any() else [])]
        cells = [label, *map(str, counts), str(scores.support[index])]
        cells += [f"{100 * values[index]:.1f}" for values in (scores.recall, scores.precision, scores.f1)]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _as_dict(measurement: Measurement) -> dict[str, Any]:
    scores, calibration = measurement.scores, measurement.calibration
    by_label = {
        "support": scores.support,
        "missed": scores.missed,
        "recall": scores.recall,
        "precision": scores.precision,
        "f1": scores.f1,
    }
    return {
        "count": scores.count,
        "accuracy": scores.accuracy,
        "accuracy_interval": measurement.accuracy,
        "macro_f1": scores.macro_f1,
        "macro_f1_interval": measurement.macro_f1,
        "mean_class_accuracy": scores.mean_class_accuracy,
        "mean_class_accuracy_interval": measurement.mean_class_accuracy,
        "accuracy_where_found": scores.answered().accuracy,
        "ece": calibration.ece,
        **{name: dict(zip(scores.labels, values.tolist(), strict=True)) for name, values in by_label.items()},
        "confusion": scores.confusion.tolist(),
        "reliability": {name: values.tolist() for name, values in vars(calibration).items()},
    }
