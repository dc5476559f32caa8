"""Low-rank adaptation the plain way, to compare with."""

from peft import LoraConfig, get_peft_model
from torch import Tensor, nn

from benchmarks.clock import Clock
from shared.poster.expression import ExpressionModel
from training.batches import Batches
from training.distributed import Group
from training.lora import HEADS, TARGETS
from training.losses import make_criterion
from training.observer import Position
from training.optimizer import make_optimizer
from training.recipe import Lora, Recipe
from training.sam import perturbed
from training.schedule import make_schedule


class PlainLoop:
    """peft's model and the published SAM step, as they are: `model` is changed in place."""

    def __init__(
        self, model: ExpressionModel, recipe: Recipe, batches: Batches, counts: Tensor, group: Group
    ) -> None:
        lora = recipe.lora or Lora()
        config = LoraConfig(
            r=lora.rank,
            lora_alpha=2 * lora.rank,
            lora_dropout=lora.dropout,
            target_modules=list(TARGETS),
            modules_to_save=[name for name in HEADS if hasattr(model, name)],
        )
        self.wrapped: nn.Module = get_peft_model(model, config)
        self.model = model
        self.recipe = recipe
        self.batches = batches
        self.group = group
        self.criterion = make_criterion(recipe, counts)
        self.trained = [each for each in model.parameters() if each.requires_grad]
        self.optimizer = make_optimizer(model, recipe)
        self.schedule = make_schedule(self.optimizer, recipe, batches.steps(group))

    def train_epoch(self, epoch: int, clock: Clock) -> None:
        """Train on the batches that Reelmood's loop sees in this epoch."""
        self.wrapped.train()
        steps, total = self.batches.steps(self.group), 0.0
        for step, (images, targets) in enumerate(self.batches.drawn(self.recipe, epoch, self.group), start=1):
            self.optimizer.zero_grad()
            total += self._backward(images.contiguous(), targets)
            with perturbed(self.trained, self.recipe.sam_rho):
                self._backward(images.contiguous(), targets)
            self.optimizer.step()
            self.schedule.step()
            clock.step(Position(epoch, self.recipe.epochs, step, steps, total / step))

    def _backward(self, images: Tensor, targets: Tensor) -> float:
        loss = self.criterion(self.wrapped(images).logits, targets)
        loss.backward()  # type: ignore[no-untyped-call]
        return float(loss.detach())
