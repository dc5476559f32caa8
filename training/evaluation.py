"""Evaluation of a model: predictions of a data set, and the report a person keeps."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from shared.emotions import EMOTIONS, columns_of
from shared.poster.expression import ExpressionModel
from training.batches import Batches
from training.devices import autocast
from training.metrics import Scores


def predict(
    model: ExpressionModel, labels: tuple[str, ...], batches: Batches, device: torch.device, flip: bool
) -> NDArray[np.float32]:
    """Return probabilities float32 [N, 7] in the order of `EMOTIONS`, from a model with outputs `labels`.

    With `flip` they are the mean over each picture and its mirror image. Leaves the model in evaluation mode.
    """
    model.eval()
    columns = columns_of(labels)
    rows = []
    with torch.inference_mode(), autocast(device):
        for images, _ in batches.in_order():
            views = [images, images.flip(3)] if flip else [images]
            outputs = [model(view.to(device)).logits.float()[:, columns].softmax(1) for view in views]
            rows.append(torch.stack(outputs).mean(0).cpu())
    probabilities: NDArray[np.float32] = torch.cat(rows).numpy()
    return probabilities


@dataclass(frozen=True)
class Report:
    """Scores of one model by the name of what counts as the truth, and how they were measured."""

    model: str
    parameters: int
    device: str
    split: str
    flip: bool
    scores: dict[str, Scores]

    def to_json(self) -> str:
        """Return the report as JSON; figures between 0 and 1."""
        body: dict[str, Any] = {
            "model": self.model,
            "parameters": self.parameters,
            "device": self.device,
            "split": self.split,
            "flip": self.flip,
            "scores": {name: _as_dict(scores) for name, scores in self.scores.items()},
        }
        return json.dumps(body, indent=2) + "\n"

    def to_markdown(self) -> str:
        """Return the report as Markdown; figures in percent."""
        view = "each picture and its mirror image" if self.flip else "each picture as it is"
        lines = [f"# {self.model} on {self.split}", ""]
        lines += [f"{self.parameters:,} parameters; {self.device}; {view}.", ""]
        lines += ["| truth | pictures | accuracy | macro F1 | mean class accuracy |", "|---|---|---|---|---|"]
        for name, scores in self.scores.items():
            figures = (scores.accuracy, scores.macro_f1, scores.mean_class_accuracy)
            lines.append(
                f"| {name} | {scores.count} | {' | '.join(f'{100 * figure:.2f}' for figure in figures)} |"
            )
        for name, scores in self.scores.items():
            lines += ["", f"## {name}", "", *_table(scores)]
        return "\n".join(lines) + "\n"


def _as_dict(scores: Scores) -> dict[str, Any]:
    return {
        "count": scores.count,
        "accuracy": scores.accuracy,
        "macro_f1": scores.macro_f1,
        "mean_class_accuracy": scores.mean_class_accuracy,
        "recall": dict(zip(EMOTIONS, scores.recall.tolist(), strict=True)),
        "precision": dict(zip(EMOTIONS, scores.precision.tolist(), strict=True)),
        "f1": dict(zip(EMOTIONS, scores.f1.tolist(), strict=True)),
        "confusion": scores.confusion.tolist(),
    }


def _table(scores: Scores) -> list[str]:
    """Rows the truth, columns the prediction."""
    lines = [
        f"| truth | {' | '.join(EMOTIONS)} | recall | precision | F1 |",
        "|---" * (len(EMOTIONS) + 4) + "|",
    ]
    for index, emotion in enumerate(EMOTIONS):
        cells = [str(count) for count in scores.confusion[index]]
        cells += [f"{100 * values[index]:.1f}" for values in (scores.recall, scores.precision, scores.f1)]
        lines.append(f"| {emotion} | {' | '.join(cells)} |")
    return lines
