"""What a training run is asked to do: all of it in one value, that travels as JSON and lies beside it."""

from typing import Literal

import msgspec

from shared.poster.config import Name
from training.recipe import Count, Recipe

DatasetName = Literal["fer2013", "rafdb", "affectnet7", "affectnet8", "ckplus", "folder", "corrections"]


class RunSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One training run.

    `name` is the new model's. `data` is the folder or file of the data set, `votes` FER+'s CSV beside
    FER2013, `align` puts alignment by MTCNN in front. `corrections` is a folder of corrected faces that are
    trained on too; they are not counted in `limit`. `init` is the model to start from, name or folder; with
    `new_head` its last layer is replaced where its outputs are not the data set's labels, or, if only votes
    are taught, the eight emotions of FER+. `limit` keeps at most so many training pictures, the same share of
    every class. So many `processes` of the machine share each step, each with a batch of the recipe's size,
    on a GPU of its own where it computes on GPUs.
    """

    name: Name
    dataset: DatasetName = "fer2013"
    data: str
    votes: str | None = None
    align: bool = False
    corrections: str | None = None
    init: str = "nano"
    new_head: bool = False
    limit: Count | None = None
    device: str = "auto"
    processes: Count = 1
    recipe: Recipe = Recipe()
