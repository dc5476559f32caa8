"""Data sets of labelled faces: one module for each, all opened through `catalogue.open_dataset`."""

from training.datasets.catalogue import labels_of, open_dataset, read_split
from training.datasets.faces import Dataset, Faces
from training.datasets.listing import Split
from training.datasets.votes import OTHER_COLUMNS, VOTE_COLUMNS, Votes, read_votes

__all__ = [
    "OTHER_COLUMNS",
    "VOTE_COLUMNS",
    "Dataset",
    "Faces",
    "Split",
    "Votes",
    "labels_of",
    "open_dataset",
    "read_split",
    "read_votes",
]
