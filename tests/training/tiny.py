"""A model small enough to train in a test, with the outside of the real ones."""

import torch
from torch import Tensor, nn

from shared.poster.config import ModelConfig, Preprocessing
from shared.poster.expression import ExpressionModel, FeatureMaps, Prediction

PREPROCESSING = Preprocessing(mean=(0.5, 0.4, 0.3), std=(0.5, 0.5, 0.25), channels="grey", resample=48)


class TinyModel(ExpressionModel):
    """One convolution and norm, dropout (so that the state of random numbers matters), two linear layers."""

    input_size = 16
    embedding_dim = 8
    num_classes = 7

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 3, stride=2)
        self.norm = nn.BatchNorm2d(4)
        self.embed = nn.Linear(4, 8)
        self.dropout = nn.Dropout(0.3)
        self.head = nn.Linear(8, 7)
        self.frozen = nn.Parameter(torch.ones(3), requires_grad=False)

    def features(self, images: Tensor) -> FeatureMaps:
        return FeatureMaps(self.norm(self.stem(images)), images.new_zeros(len(images), 1, 1))

    def classify(self, maps: FeatureMaps) -> Prediction:
        embedding = self.embed(maps.image.relu().mean((2, 3)))
        return Prediction(self.head(self.dropout(embedding)), embedding)


def tiny_config() -> ModelConfig:
    return ModelConfig(name="tiny", size="nano", input_size=16, embedding_dim=8, preprocessing=PREPROCESSING)
