"""What stands on the pyramid: the gate that makes the embedding, and the classifier."""

import torch
from torch import Tensor, nn


class SEBlock(nn.Module):
    """Squeeze-and-excitation gate over a feature vector (Hu et al., CVPR 2018), without a bottleneck."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(width, width)
        self.linear2 = nn.Linear(width, width)

    def forward(self, features: Tensor) -> Tensor:
        """Return the embedding `[B, width]` of the features `[B, width]`."""
        gate: Tensor = torch.sigmoid(self.linear2(torch.relu(self.linear1(features))))
        return features * gate


class ClassificationHead(nn.Module):
    """One linear layer from the embedding to the logits."""

    def __init__(self, width: int, num_classes: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, num_classes)

    def forward(self, embedding: Tensor) -> Tensor:
        """Return the logits `[B, num_classes]` of `[B, width]`."""
        logits: Tensor = self.linear(embedding)
        return logits
