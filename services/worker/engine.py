"""The engine: face crops in, what they show out."""

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Final, Protocol

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import normalize

from services.worker.device import describe, faults_named, resolve, use_one_thread
from shared import heap
from shared.emotions import columns_of
from shared.errors import ModelError
from shared.faces.alignment import Landmarks, box_to_template, similarity, warp
from shared.faces.landmarks import BoxAligner
from shared.faces.preprocessing import preprocess
from shared.poster import load
from shared.poster.cam import explain
from shared.poster.expression import ExpressionModel, FeatureMaps, Prediction
from shared.poster.precision import choose_dtype
from shared.poster.serving import prepare
from shared.settings import Settings

_BLANK: Final = 64
"""Side in pixels of the face that a model is tried on."""
_AT_ONCE: Final = 16
"""Faces that go through the streams together on a CPU; more are no faster."""

logger = logging.getLogger(__name__)

Timer = Callable[[str], AbstractContextManager[object]]
"""Measures a block as one run of the named step."""


def untimed(_: str) -> AbstractContextManager[object]:
    """Measure nothing."""
    return nullcontext()


@dataclass(frozen=True)
class FaceCrop:
    """A decoded crop, uint8 RGB [S, S, 3]; `margin` and `explain` as in `shared.messages.Face`."""

    image: NDArray[np.uint8]
    margin: float
    explain: bool


@dataclass(frozen=True)
class Predictions:
    """What N faces show; K of them were to be explained, and come in the same order."""

    probabilities: NDArray[np.float32]
    """[N, 7] in the order of `EMOTIONS`; each row sums to 1."""
    embeddings: NDArray[np.float32]
    """[N, E], L2-normalised."""
    aligned: NDArray[np.bool_]
    """[N]: landmarks were found."""
    cams: NDArray[np.uint8]
    """[K, h, w]: where the model looked for the emotion that it names, 255 at the most."""
    portraits: list[bytes]
    """[K]: the aligned faces, in colour, as JPEG."""


class FaceAligner(Protocol):
    """Finds the landmarks of faces whose boxes are known."""

    def find(self, crops: Sequence[NDArray[np.uint8]], margins: Sequence[float]) -> Landmarks:
        """Return the landmarks of each crop's face; see `shared.faces.landmarks.BoxAligner`."""
        ...


class ExpressionEngine(Protocol):
    """Reads faces. An answer doesn't depend on the other faces of the batch."""

    model: str
    """Id of the model, `name@hash`."""
    device: str
    """The device really used, in words."""

    def predict(self, faces: Sequence[FaceCrop]) -> Predictions:
        """Return what the faces show, at least one.

        Raises DeviceFullError and DeviceLostError; anything else raised is the fault of one of the faces.
        """
        ...


class SevenEmotions(ExpressionModel):
    """A model whose outputs are put in the order of `EMOTIONS`, others (contempt) left out.

    The softmax of what is left equals that of all outputs, renormalised.
    """

    def __init__(self, model: ExpressionModel, labels: tuple[str, ...]) -> None:
        super().__init__()
        self.inner = model
        self.input_size, self.embedding_dim = model.input_size, model.embedding_dim
        self.columns = columns_of(labels)
        self.num_classes = len(self.columns)

    def features(self, images: Tensor) -> FeatureMaps:
        """Return the inner model's feature maps; see `ExpressionModel.features`."""
        return self.inner.features(images)

    def classify(self, maps: FeatureMaps) -> Prediction:
        """Return logits `[B, 7]` and embedding; see `ExpressionModel.classify`."""
        logits, embedding = self.inner.classify(maps)
        return Prediction(logits[:, self.columns], embedding)


class PosterEngine:
    """Aligns faces and runs a model on them, in `dtype`. `model` comes from `shared.poster.load`.

    Measured by `timed` are the steps `align`, `streams` (below the localisation layer), `explain` (above it,
    faces that get a Grad-CAM) and `classify` (the others), each once a batch. Raises ModelError for a model
    without config.
    """

    def __init__(
        self,
        model: ExpressionModel,
        aligner: FaceAligner,
        device: torch.device,
        dtype: torch.dtype,
        jpeg_quality: int,
        timed: Timer = untimed,
    ) -> None:
        if model.config is None or model.id is None:
            raise ModelError("a model without config.json cannot read faces")
        self.model = model.id
        self.device = describe(device)
        self._preprocessing = model.config.preprocessing
        self._seven = prepare(SevenEmotions(model, model.config.labels), dtype, device)
        self._aligner = aligner
        self._torch_device = device
        self._dtype = dtype
        self._jpeg_quality = jpeg_quality
        self._timed = timed

    def predict(self, faces: Sequence[FaceCrop]) -> Predictions:
        """Return what the faces show; see `ExpressionEngine`."""
        asked = torch.tensor([face.explain for face in faces])
        logits = torch.empty(len(faces), self._seven.num_classes)
        embeddings = torch.empty(len(faces), self._seven.embedding_dim)
        cams = torch.empty(0, 1, 1)
        with faults_named():
            with self._timed("align"):
                pictures, aligned = self._align(faces)
            batch = torch.from_numpy(preprocess(pictures, self._preprocessing, self._seven.input_size))
            images = batch.to(self._torch_device, self._dtype)
            with self._timed("streams"), torch.no_grad():
                maps = self._features(images)
            # A map costs a pass backward, and so only the faces that ask for one go through it.
            if asked.any():
                with self._timed("explain"):
                    explained = explain(self._seven, _chosen(maps, asked))
                    logits[asked], embeddings[asked] = explained.logits.cpu(), explained.embedding.cpu()
                    cams = explained.cam.cpu()
            if not asked.all():
                with self._timed("classify"), torch.inference_mode():
                    plain = self._seven.classify(_chosen(maps, ~asked))
                    logits[~asked] = plain.logits.float().cpu()
                    embeddings[~asked] = plain.embedding.float().cpu()
        return Predictions(
            probabilities=logits.softmax(dim=1).clamp(max=1).numpy(),
            embeddings=normalize(embeddings).numpy(),
            aligned=aligned,
            cams=(cams * 255).round().to(torch.uint8).numpy(),
            portraits=[self._encode(pictures[index]) for index in asked.nonzero().flatten().tolist()],
        )

    def _align(self, faces: Sequence[FaceCrop]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        points, found = self._aligner.find([face.image for face in faces], [face.margin for face in faces])
        pictures, aligned = [], []
        for face, five, seen in zip(faces, points, found, strict=True):
            to_template = similarity(five) if seen else None
            aligned.append(to_template is not None)
            if to_template is None:
                to_template = box_to_template(len(face.image), face.margin)
            pictures.append(warp(face.image, to_template, self._seven.input_size, self._preprocessing.zoom))
        return np.stack(pictures), np.array(aligned)

    def _features(self, images: Tensor) -> FeatureMaps:
        at_once = _AT_ONCE if images.device.type == "cpu" else len(images)
        parts = [self._seven.features(part) for part in torch.split(images, at_once)]
        return parts[0] if len(parts) == 1 else FeatureMaps(*map(torch.cat, zip(*parts, strict=True)))

    def _encode(self, picture: NDArray[np.uint8]) -> bytes:
        bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
        return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, self._jpeg_quality])[1].tobytes()


def _chosen(maps: FeatureMaps, which: Tensor) -> FeatureMaps:
    return maps if which.all() else FeatureMaps(maps.image[which], maps.landmark[which])


def load_engine(settings: Settings, timed: Timer = untimed) -> PosterEngine:
    """Load the model and the aligner that the settings name, for a process of one computing thread.

    `timed` measures the engine's steps. Raises ReelmoodError when the device is not there or the model cannot
    be used; it has read a blank face by then.
    """
    use_one_thread()
    heap.hold()
    device = resolve(settings.device)
    model = load(settings.model, settings.models)
    dtype = choose_dtype(settings.precision, device)
    logger.info("computing in %s", str(dtype).removeprefix("torch."))
    with faults_named():
        aligner = BoxAligner(device)
        _try_out(PosterEngine(model, aligner, device, dtype, settings.jpeg_quality))
        return PosterEngine(model, aligner, device, dtype, settings.jpeg_quality, timed)


def _try_out(engine: PosterEngine) -> None:
    blank = FaceCrop(np.zeros((_BLANK, _BLANK, 3), np.uint8), margin=0.0, explain=True)
    read = engine.predict([blank])
    if not (np.isfinite(read.probabilities).all() and np.isfinite(read.embeddings).all()):
        raise ModelError(f"{engine.model} answers with numbers that are not finite")
