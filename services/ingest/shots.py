"""Where one shot ends and the next begins."""

from typing import Final

import cv2
from scenedetect.common import FrameTimecode
from scenedetect.detectors import ContentDetector

from shared.faces.detection import Image

_WIDTH: Final = 256
"""Width that frames are scaled down to: cuts are as clear there, at a fraction of the time."""
_NOMINAL_RATE: Final = 25.0
"""The detector wants time codes, yet only compares neighbouring frames: any rate gives the same cuts."""


class ShotDetector:
    """Finds hard cuts: PySceneDetect's ContentDetector at its default threshold, every cut at once.

    All it remembers is the frame before: shown that one frame, a new detector goes on as the old one would.
    """

    def __init__(self) -> None:
        self._detector = ContentDetector(min_scene_len=0)
        self._shown = 0

    def is_cut(self, image: Image) -> bool:
        """Tell whether a frame, RGB uint8 [H, W, 3], starts a new shot. The first one does not."""
        height, width = image.shape[:2]
        if width > _WIDTH:
            small = cv2.resize(image, (_WIDTH, max(1, round(height * _WIDTH / width))))
        else:
            small = image
        self._shown += 1
        time = FrameTimecode(self._shown - 1, _NOMINAL_RATE)
        return bool(self._detector.process_frame(time, cv2.cvtColor(small, cv2.COLOR_RGB2BGR)))
