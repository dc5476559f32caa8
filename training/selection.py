"""Which epoch of a run is the best one, and when to give up."""

from dataclasses import dataclass, field
from typing import Any, Self

from torch import Tensor, nn

from training.recipe import Recipe


@dataclass
class Best:
    """The best epoch so far (0: none), its figure, and its weights where the recipe keeps the best."""

    epoch: int = 0
    figure: float = -1.0
    weights: dict[str, Tensor] = field(default_factory=dict)

    def consider(self, row: dict[str, float], model: nn.Module, recipe: Recipe) -> None:
        """Take the epoch of `row` and the weights of `model` if its figure is above all before it."""
        figure = row[watched_figure(row, recipe)]
        if figure > self.figure:
            self.epoch, self.figure = int(row["epoch"]), figure
            if recipe.select != "last":
                self.weights = {name: each.cpu().clone() for name, each in model.state_dict().items()}

    def is_stale(self, epoch: int, recipe: Recipe) -> bool:
        """Say whether `epoch` is the one at which the recipe's patience is at its end."""
        return 0 < recipe.patience <= epoch - self.epoch

    def state(self) -> dict[str, Any]:
        """Return what `from_state` makes it from again."""
        return {"epoch": self.epoch, "figure": self.figure, "weights": self.weights}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return what `state` was called on."""
        return cls(**state)


def watched_figure(row: dict[str, float], recipe: Recipe) -> str:
    """Return the name of the figure in `row` that decides: the recipe's, or accuracy if the last is kept.

    It is measured against the votes' majority where votes are taught and there are any, else the labels.
    """
    truth = "majority" if recipe.target != "label" and "majority_accuracy" in row else "label"
    return f"{truth}_{'macro_f1' if recipe.select == 'macro_f1' else 'accuracy'}"
