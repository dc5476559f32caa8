"""From a listing to faces in memory."""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import psutil
from numpy.typing import NDArray

from shared.errors import DataError
from training.datasets.alignment import Poses
from training.datasets.faces import Faces
from training.datasets.listing import Listing
from training.datasets.pictures import read_picture, resize


def decode(
    listing: Listing, labels: tuple[str, ...], side: int, grey: bool, poses: Poses | None = None
) -> Faces:
    """Decode the pictures of `listing`, each brought to `side`×`side`, aligned where there are `poses`.

    `labels` is the label set. Raises DataError when a picture cannot be decoded, or all of them don't fit
    into memory.
    """
    shape = (len(listing), side, side, 1 if grey else 3)
    _check_memory(shape)
    images = np.empty(shape, np.uint8)

    def fill(row: int) -> None:
        images[row] = _shown(listing, row, side, grey, poses)

    with ThreadPoolExecutor() as threads:
        for _ in threads.map(fill, range(len(listing))):
            pass
    indices = np.array([labels.index(label) for label in listing.labels], np.int64)
    return Faces(images, indices, listing.names, labels, listing.subjects)


def _shown(listing: Listing, row: int, side: int, grey: bool, poses: Poses | None) -> NDArray[np.uint8]:
    picture = listing.pictures[row]
    if poses is None or not poses.found[row]:
        return resize(read_picture(picture, grey), side)
    face = poses.align(row, read_picture(picture, grey=False))
    if grey:
        face = np.asarray(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY), np.uint8)[:, :, None]
    return resize(face, side)


def _check_memory(shape: tuple[int, ...]) -> None:
    needed, free = int(np.prod(shape)), psutil.virtual_memory().available
    if needed > free:
        raise DataError(
            f"{shape[0]} pictures of {shape[1]}×{shape[2]} take {needed / 1e9:.1f} GB of memory,"
            f" {free / 1e9:.1f} GB are free"
        )
