"""How near an aligned face must be shown: accuracy by the zoom of a model's preprocessing."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from shared.emotions import columns_of
from shared.faces.alignment import TEMPLATE_SIDE, FaceAligner, similarity, warp
from shared.faces.preprocessing import preprocess
from shared.poster.config import ModelConfig
from shared.poster.expression import ExpressionModel
from training.datasets import Faces
from training.evaluation.shipped import as_frame
from training.metrics import Scores, score


def score_by_zoom(
    faces: Faces,
    truth: NDArray[np.int64],
    model: ExpressionModel,
    config: ModelConfig,
    aligner: FaceAligner,
    zooms: Sequence[float],
    batch_size: int = 64,
) -> dict[float, Scores]:
    """Align the faces as at run time and score the model at each zoom; faces without landmarks don't count.

    `truth` int64 [N] as in `training.metrics.score`. The pictures end at the face, unlike the crops of a
    film; their edges are drawn out, so that the template doesn't reach into black.
    """
    counted = np.full(len(faces), -1, np.int64)
    predicted = {zoom: np.zeros(len(faces), np.int64) for zoom in zooms}
    for start in range(0, len(faces), batch_size):
        crops = [as_frame(image) for image in faces.images[start : start + batch_size]]
        matrices = [similarity(points) for points in aligner.find(crops).points]
        found = [(crop, matrix) for crop, matrix in zip(crops, matrices, strict=True) if matrix is not None]
        rows = start + np.flatnonzero([matrix is not None for matrix in matrices])
        counted[rows] = truth[rows]
        for zoom in zooms:
            aligned = [warp(crop, matrix, TEMPLATE_SIDE, zoom) for crop, matrix in found]
            if aligned:
                predicted[zoom][rows] = _predict(model, config, np.stack(aligned))
    return {zoom: score(counted, predicted[zoom]) for zoom in zooms}


@torch.inference_mode()
def _predict(model: ExpressionModel, config: ModelConfig, faces: NDArray[np.uint8]) -> NDArray[np.int64]:
    shown = torch.from_numpy(preprocess(faces, config.preprocessing, config.input_size))
    predicted: NDArray[np.int64] = model(shown).logits[:, columns_of(config.labels)].argmax(1).numpy()
    return predicted
