"""The product's whole way from a frame to emotions, for `reelmood evaluate --as-shipped`."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.ingest.crops import cut_crop
from services.worker.engine import FaceCrop, load_engine
from shared.emotions import EMOTIONS
from shared.faces.detection import HaarDetector, Image
from shared.pictures import decode_crop
from shared.poster import load
from shared.settings import Settings


class ShippedReader:
    """Ingest's detector and crops and a worker's engine, as the settings set them up.

    See `training.evaluation.shipped.FrameReader`.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._detector = HaarDetector(settings.min_face_fraction)
        self._engine = load_engine(settings)
        self.model = self._engine.model
        self.device = self._engine.device
        model = load(settings.model, settings.models)
        self.parameters = sum(parameter.numel() for parameter in model.parameters())

    def read(self, frames: Sequence[Image]) -> NDArray[np.float32]:
        """Return the probabilities of each frame's largest face, [N, 7]; NaN where no face is found."""
        crops = [self._crop(frame) for frame in frames]
        answers = np.full((len(frames), len(EMOTIONS)), np.nan, np.float32)
        found = [crop is not None for crop in crops]
        if any(found):
            answers[found] = self._engine.predict([crop for crop in crops if crop is not None]).probabilities
        return answers

    def _crop(self, frame: Image) -> FaceCrop | None:
        boxes = self._detector.detect(frame)
        if not boxes:
            return None
        jpeg, margin = cut_crop(
            frame,
            max(boxes, key=lambda box: box.w * box.h),
            margin=self._settings.crop_margin,
            size=self._settings.crop_size,
            quality=self._settings.jpeg_quality,
        )
        image = decode_crop(jpeg)
        return None if image is None else FaceCrop(image, margin, explain=False)
