"""The last layer of a model that is to be taught another label set."""

from pathlib import Path

from msgspec.structs import replace

from shared.poster.config import ModelConfig
from shared.poster.expression import ExpressionModel
from shared.poster.heads import ClassificationHead
from shared.poster.pyramid import init_transformer
from training.datasets.catalogue import labels_of
from training.datasets.labels import EIGHT
from training.spec import RunSpec


def labels_to_teach(spec: RunSpec) -> tuple[str, ...]:
    """Return the label set of a run's data; the votes alone tell contempt from the seven too.

    Raises DataError for data that are none.
    """
    return EIGHT if spec.recipe.target == "votes" else labels_of(spec.dataset, Path(spec.data))


def replace_head(model: ExpressionModel, config: ModelConfig, labels: tuple[str, ...]) -> ModelConfig:
    """Give `model` a new last layer for `labels`, if its outputs are others, and return its new config.

    A model that has them in another order keeps its layer. The weights are drawn from torch's generator.
    """
    if set(labels) == set(config.labels):
        return config
    head = ClassificationHead(model.embedding_dim, len(labels))
    head.apply(init_transformer)
    model.head = head
    model.num_classes = len(labels)
    model.config = replace(config, labels=labels, metrics=None)
    return model.config
