import pytest
import torch
from torch import nn

from training.recipe import Recipe, Selection, Target
from training.selection import Best, watched_figure

ROW = {"label_accuracy": 0.5, "label_macro_f1": 0.4, "majority_accuracy": 0.8, "majority_macro_f1": 0.7}


@pytest.mark.parametrize(
    ("target", "select", "figure"),
    [
        ("label", "last", "label_accuracy"),
        ("label", "macro_f1", "label_macro_f1"),
        ("votes", "accuracy", "majority_accuracy"),
        ("mixed", "macro_f1", "majority_macro_f1"),
    ],
)
def test_the_watched_figure_is_that_of_what_is_taught(target: Target, select: Selection, figure: str) -> None:
    assert watched_figure(ROW, Recipe(target=target, select=select)) == figure


def test_without_votes_the_label_is_watched() -> None:
    assert watched_figure({"label_accuracy": 0.5}, Recipe(target="mixed")) == "label_accuracy"


def follow(recipe: Recipe, figures: list[float]) -> tuple[Best, int]:
    """Return the best epoch and how many were trained; the model's weight is the epoch."""
    model, best = nn.Linear(1, 1), Best()
    for epoch, figure in enumerate(figures, start=1):
        nn.init.constant_(model.weight, epoch)
        best.consider({"epoch": epoch, "label_accuracy": figure}, model, recipe)
        if best.is_stale(epoch, recipe):
            return best, epoch
    return best, len(figures)


def test_the_first_of_the_best_epochs_is_kept() -> None:
    recipe = Recipe(target="label", select="accuracy")
    best, epochs = follow(recipe, [0.1, 0.5, 0.3, 0.5, 0.2])
    assert (best.epoch, best.figure, epochs) == (2, 0.5, 5)
    assert best.weights["weight"].item() == 2


def test_patience_counts_epochs_without_a_gain() -> None:
    recipe = Recipe(target="label", select="accuracy", patience=2)
    assert follow(recipe, [0.1, 0.5, 0.3, 0.6, 0.6, 0.2, 0.9])[1] == 6


def test_a_run_that_keeps_the_last_epoch_holds_no_other_weights() -> None:
    best, _ = follow(Recipe(target="label", select="last"), [0.5, 0.1])
    assert (best.epoch, best.weights) == (1, {})


def test_what_is_kept_comes_back() -> None:
    best, _ = follow(Recipe(target="label", select="accuracy"), [0.2, 0.1])
    again = Best.from_state(best.state())
    assert (again.epoch, again.figure) == (1, 0.2)
    assert torch.equal(again.weights["weight"], best.weights["weight"])
