"""How a model does on the validation part of its data, after an epoch."""

from dataclasses import dataclass

import torch

from shared.poster.expression import ExpressionModel
from training.evaluation.prediction import predict
from training.metrics import Scores, score
from training.preparation import Prepared


@dataclass(frozen=True)
class Validation:
    """Scores against each truth that is known: `label` always, `majority` where there are votes."""

    scores: dict[str, Scores]

    @property
    def labels(self) -> tuple[str, ...]:
        """The emotions, in the order of the scores' rows and columns."""
        return next(iter(self.scores.values())).labels

    @property
    def figures(self) -> dict[str, float]:
        """Accuracy and macro F1 against each truth, `label_accuracy` and so on."""
        return {
            f"{truth}_{figure}": getattr(scores, figure)
            for truth, scores in self.scores.items()
            for figure in ("accuracy", "macro_f1")
        }


def validate(prepared: Prepared, device: torch.device, model: ExpressionModel) -> Validation:
    """Show the model the validation part of `prepared`, each picture once."""
    labels, held = prepared.labels, prepared.validation
    predicted = predict(model, labels, held, device, flip=False, labels=labels).argmax(axis=1)
    truths = zip(("label", "majority"), held.targets.numpy().T, strict=False)
    return Validation({truth: score(targets, predicted, labels) for truth, targets in truths})
