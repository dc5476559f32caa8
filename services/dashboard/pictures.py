"""Pictures for the page: a face with its Grad-CAM laid over it, as a data URI."""

import base64
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.errors import MessageError
from shared.messages import Explanation


def blend(face: NDArray[np.uint8], cam: NDArray[np.uint8], strength: float = 0.6) -> NDArray[np.uint8]:
    """Lay a class activation map over a face.

    `face` RGB [H, W, 3]; `cam` [S, S], 0 where the model did not look, 255 where it looked most. Returns RGB
    [H, W, 3]. The map is brought to the face's size (bicubic) and coloured (Turbo); its weight grows with the
    activation up to `strength` (0–1), so that the face stays as it is where the map is 0. Source: Grad-CAM
    (Selvaraju et al. 2017), whose maps are shown upsampled over their input.
    """
    height, width = face.shape[:2]
    large = cv2.resize(cam, (width, height), interpolation=cv2.INTER_CUBIC)
    colours = cv2.cvtColor(cv2.applyColorMap(large, cv2.COLORMAP_TURBO), cv2.COLOR_BGR2RGB)
    weight = (large.astype(np.float32) / 255 * strength)[..., None]
    return np.rint(face * (1 - weight) + colours * weight).astype(np.uint8)


@lru_cache(maxsize=256)
def explained(explanation: Explanation, strength: float = 0.6) -> str:
    """Return the aligned face of an explanation, with its map laid over it, as a JPEG data URI.

    `strength` as for `blend`; at 0 the face is as it was. Raises MessageError when the picture was not kept,
    or it or the map is damaged.
    """
    if not explanation.aligned:
        raise MessageError("picture of the face not kept")
    encoded = np.frombuffer(explanation.aligned, np.uint8)
    decoded = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    side = explanation.cam_side
    if decoded is None or len(explanation.cam) != side * side:
        raise MessageError("damaged picture of a face")
    face = cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB).astype(np.uint8)
    if strength > 0:
        face = blend(face, np.frombuffer(explanation.cam, np.uint8).reshape(side, side), strength)
    return data_uri(face)


def data_uri(image: NDArray[np.uint8]) -> str:
    """Return an RGB picture [H, W, 3] as a JPEG data URI: part of the page, so nothing loads late."""
    encoded = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
    return "data:image/jpeg;base64," + base64.b64encode(encoded.tobytes()).decode("ascii")
