"""What a model says of pictures of faces, shown to it as the worker shows them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from shared.emotions import columns_of
from shared.errors import ModelError
from shared.faces.preprocessing import preprocess
from shared.poster.expression import ExpressionModel

BATCH: Final = 32


@dataclass(frozen=True)
class Answers:
    """What a model said of N pictures.

    `emotions` int64 [N], indices into `EMOTIONS`; `embeddings` float32 [N, E], L2-normalised.
    """

    emotions: NDArray[np.int64]
    embeddings: NDArray[np.float32]


def read_pictures(
    model: ExpressionModel, images: NDArray[np.uint8], device: torch.device
) -> Iterator[Answers]:
    """Yield a model's answers for `images`, uint8 [N, H, W, 1 or 3], in order, 32 at a time.

    In float32, as a worker on a CPU. The model is moved to `device` and left in evaluation mode. Raises
    ModelError for a model without config, or one that answers with numbers that are not finite.
    """
    config = model.config
    if config is None:
        raise ModelError("a model without config.json cannot read faces")
    columns = columns_of(config.labels)
    model.eval().to(device)
    for start in range(0, len(images), BATCH):
        batch = images[start : start + BATCH]
        rgb = np.broadcast_to(batch, (*batch.shape[:3], 3))
        shown = preprocess(np.ascontiguousarray(rgb), config.preprocessing, model.input_size)
        with torch.inference_mode():
            logits, embeddings = model(torch.from_numpy(shown).to(device))
        if not (logits.isfinite().all() and embeddings.isfinite().all()):
            raise ModelError(f"{model.id} answers with numbers that are not finite")
        yield Answers(
            logits[:, columns].argmax(1).cpu().numpy(),
            torch.nn.functional.normalize(embeddings.float()).cpu().numpy(),
        )
