"""A model of nano's size that knows nothing."""

from pathlib import Path

import torch

from shared.poster import checkpoints
from shared.poster.config import ModelConfig
from shared.poster.nano import PREPROCESSING, build_nano


def write_untrained(registry: Path, name: str) -> Path:
    """Put an untrained nano into a registry, always the same one, and return the registry."""
    torch.manual_seed(0)
    config = ModelConfig(
        name=name, size="nano", input_size=128, embedding_dim=256, preprocessing=PREPROCESSING
    )
    checkpoints.save(build_nano(7), config, registry / name)
    return registry
