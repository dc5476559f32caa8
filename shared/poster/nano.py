"""nano: POSTER for a CPU, the cross-fusion pyramid and heads on two small pretrained streams.

The image stream is dlib's face recognition ResNet without its last unit: its last 128-wide map gives 49
tokens, the 3×3×256 map behind it is brought to 7×7 and added. The landmark stream is face-api's 68-point net,
frozen, with 49 tokens of its own. Streams and their licences: `shared.poster.streams`.
"""

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from shared.poster.config import Preprocessing
from shared.poster.expression import ExpressionModel, FeatureMaps, Prediction
from shared.poster.heads import ClassificationHead, SEBlock
from shared.poster.pyramid import Block, CrossFusionPyramid, init_transformer
from shared.poster.streams import MEAN_RGB, LandmarkNet, RecognitionStem, RecognitionTop

LANDMARK_SIZE: Final = 112
WIDTHS: Final = (128, 64, 32)
DEPTH: Final = 2
HEADS: Final = 4
DROPOUT: Final = 0.2
PREPROCESSING: Final = Preprocessing(
    mean=MEAN_RGB, std=(1.0, 1.0, 1.0), channels="grey", resample=48, zoom=1.1
)
"""FER2013, nano's training data, is grey and 48×48: films are brought to what the model knows. At this
zoom aligned validation pictures are recognised best (docs/training.md)."""


class Nano(ExpressionModel):
    """The bundled default model; takes images normalised as `shared.poster.streams` says."""

    input_size = 128
    embedding_dim = 256

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.num_classes = num_classes
        width = WIDTHS[0]
        self.stem = RecognitionStem()
        self.top = RecognitionTop()
        self.landmark = LandmarkNet()
        self.from_stem = nn.Linear(128, width)
        self.from_top = nn.Linear(256, width)
        self.from_landmark = nn.Linear(256, width)
        self.norm_image = nn.LayerNorm(width)
        self.norm_landmark = nn.LayerNorm(width)
        self.pyramid = CrossFusionPyramid(WIDTHS, depth=DEPTH, heads=HEADS)
        self.embed = nn.Linear(width + 256, self.embedding_dim)
        self.se_block = SEBlock(self.embedding_dim)
        self.dropout = nn.Dropout(DROPOUT)
        self.head = ClassificationHead(self.embedding_dim, num_classes)
        for module in (self.from_stem, self.from_top, self.from_landmark):
            nn.init.xavier_uniform_(module.weight)
        for head in (self.embed, self.se_block, self.head):
            head.apply(init_transformer)
        for block in self.pyramid.modules():
            if isinstance(block, Block):
                # The mixer has no shortcut: from the identity, the two streams start out as they are.
                nn.init.dirac_(block.conv.weight)

    def features(self, images: Tensor) -> FeatureMaps:
        """Return the image stream's last 7×7 unit [B, 128, 7, 7] and landmark tokens [B, 49, 256]."""
        with torch.no_grad():
            landmark = self.landmark.features(_resize(images, LANDMARK_SIZE))
        return FeatureMaps(self.image_maps(images), landmark.flatten(2).transpose(1, 2))

    def image_maps(self, images: Tensor) -> Tensor:
        """Return the image stream's last 7×7 unit, [B, 128, 7, 7]."""
        maps: Tensor = self.stem(self.to_input_size(images))
        return maps

    def classify(self, maps: FeatureMaps) -> Prediction:
        """Return logits and embedding; see `ExpressionModel.classify`."""
        top = self.top(maps.image)
        coarse = _tokens(interpolate(top, size=maps.image.shape[2:], mode="bilinear"))
        image = self.norm_image(self.from_stem(_tokens(maps.image)) + self.from_top(coarse))
        fused = self.pyramid(image, self.norm_landmark(self.from_landmark(maps.landmark)))
        whole = torch.cat((fused, top.mean((2, 3)).to(fused.dtype)), dim=1)
        embedding = self.se_block(self.embed(whole))
        return Prediction(self.head(self.dropout(embedding)), embedding)

    def to_input_size(self, images: Tensor) -> Tensor:
        """Return `images` with 128 as side, bilinear: nothing published asks for nearest neighbour here."""
        return _resize(images, self.input_size)


def build_nano(num_classes: int = 7) -> Nano:
    """Return nano with new weights; `training.streams` holds those that its streams start from."""
    return Nano(num_classes)


def _resize(images: Tensor, size: int) -> Tensor:
    if images.shape[2:] == (size, size):
        return images
    # For bfloat16 a CPU has no kernel of it.
    resized = interpolate(images.float(), size=(size, size), mode="bilinear", antialias=True)
    return resized.to(images.dtype)


def _tokens(maps: Tensor) -> Tensor:
    """[B, C, h, w] to [B, h·w, C]."""
    return maps.flatten(2).transpose(1, 2)
