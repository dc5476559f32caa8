"""The faces that a person has confirmed or corrected on the dashboard (`shared.corrections`)."""

from pathlib import Path

from shared import corrections
from shared.corrections import PICTURES
from shared.errors import DataError
from training.datasets.listing import Listing, Splits


def list_corrections(data: Path) -> Splits:
    """List the corrections in the folder `data`: training pictures alone, in the order they were decided in.

    Not every emotion need be among them; what a person says is no face is left out. Raises DataError when
    there are none, their labels cannot be read, or a picture is missing.
    """
    held = corrections.faces(corrections.read(data))
    if not held:
        raise DataError(f"{data} has no corrections yet: make some on the Review page of the dashboard")
    pictures = [data / PICTURES / one.picture for one in held]
    absent = next((picture for picture in pictures if not picture.is_file()), None)
    if absent is not None:
        raise DataError(f"{absent} is missing: {corrections.LABELS_FILE} names it")
    labels = tuple(one.label for one in held)
    names = tuple(f"train/{one.label}/{one.picture}" for one in held)
    return Splits(Listing(tuple(pictures), labels, names), None)
