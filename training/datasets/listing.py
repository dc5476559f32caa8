"""What a data set holds, before any picture is decoded."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from training.datasets.pictures import Picture

Split = Literal["train", "test"]


@dataclass(frozen=True)
class Listing:
    """The pictures of one split, the emotion each shows, a name for each, and who is in it where known."""

    pictures: tuple[Picture, ...]
    labels: tuple[str, ...]
    names: tuple[str, ...]
    subjects: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return len(self.names)

    def take(self, rows: Sequence[int]) -> "Listing":
        """Return the pictures at `rows`, in that order."""
        return Listing(
            tuple(self.pictures[row] for row in rows),
            tuple(self.labels[row] for row in rows),
            tuple(self.names[row] for row in rows),
            None if self.subjects is None else tuple(self.subjects[row] for row in rows),
        )


class Splits(NamedTuple):
    """A data set as it lies on the disk."""

    train: Listing
    test: Listing | None


def fingerprint(splits: Splits, digests: Sequence[str]) -> str:
    """Return the SHA-256, in hex, over the splits' pictures and labels, in their order.

    `digests` are the pictures' own, those of the training split first.
    """
    hashed = hashlib.sha256()
    labels = [("train", label) for label in splits.train.labels]
    if splits.test is not None:
        labels += [("test", label) for label in splits.test.labels]
    for (split, label), own in zip(labels, digests, strict=True):
        hashed.update(f"{split} {label} {own}\n".encode())
    return hashed.hexdigest()
