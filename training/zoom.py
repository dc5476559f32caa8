"""How near an aligned face must be shown: accuracy by the zoom of a model's preprocessing."""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from shared.emotions import columns_of
from shared.faces.alignment import TEMPLATE_SIDE, FaceAligner, similarity, warp
from shared.faces.preprocessing import preprocess
from shared.poster.config import ModelConfig
from shared.poster.expression import ExpressionModel
from training.datasets import Faces
from training.metrics import Scores, score

_SIDE = 160
_MARGIN = 40


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
    confusion = {zoom: np.zeros((7, 7), np.int64) for zoom in zooms}
    for start in range(0, len(faces), batch_size):
        rows = slice(start, start + batch_size)
        crops = [_enlarge(image) for image in faces.images[rows]]
        matrices = [similarity(points) for points in aligner.find(crops).points]
        kept = [index for index, matrix in enumerate(matrices) if matrix is not None]
        for zoom in zooms:
            aligned = [warp(crops[i], m, TEMPLATE_SIDE, zoom) for i in kept if (m := matrices[i]) is not None]
            if aligned:
                predicted = _predict(model, config, np.stack(aligned))
                confusion[zoom] += score(truth[rows][kept], predicted).confusion
    return {zoom: Scores(counts) for zoom, counts in confusion.items()}


def _enlarge(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Bring a picture [H, W, 1 or 3] to RGB of a side that the aligner likes, with a margin of its edges."""
    large = cv2.resize(image, (_SIDE, _SIDE), interpolation=cv2.INTER_LINEAR).reshape(_SIDE, _SIDE, -1)
    wide = np.pad(large, ((_MARGIN, _MARGIN), (_MARGIN, _MARGIN), (0, 0)), mode="edge")
    return np.ascontiguousarray(np.broadcast_to(wide, (*wide.shape[:2], 3)), np.uint8)


@torch.inference_mode()
def _predict(model: ExpressionModel, config: ModelConfig, faces: NDArray[np.uint8]) -> NDArray[np.int64]:
    shown = torch.from_numpy(preprocess(faces, config.preprocessing, config.input_size))
    predicted: NDArray[np.int64] = model(shown).logits[:, columns_of(config.labels)].argmax(1).numpy()
    return predicted
