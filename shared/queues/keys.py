"""The names of all keys on the broker, made in this one place."""

from dataclasses import dataclass, replace
from zlib import crc32


@dataclass(frozen=True)
class Keys:
    """Key names. The hash tag `{0}` keeps a shard's keys on one node of a cluster, as scripts need.

    Source: Redis Cluster specification, "Hash tags".
    """

    prefix: str
    shards: int = 1
    """How many shards new clips are spread over."""
    past: tuple[int, ...] = ()
    """How many there were before, while clips may still be where they were put then."""
    shard: int | None = None
    """The one whose keys these are; None: that which a new clip is put in, and the first for all else."""

    def at(self, shard: int) -> "Keys":
        """Return the keys of a shard."""
        return replace(self, shard=shard)

    def everywhere(self) -> list["Keys"]:
        """Return the keys of each shard in which clips may be."""
        return [self.at(shard) for shard in range(max(self.shards, *self.past, 1))]

    def homes(self, clip: str) -> list["Keys"]:
        """Return the keys of each shard that a clip may be in: first that which a new one is put in."""
        shards = dict.fromkeys(_shard(clip, count) for count in (self.shards, *self.past))
        return [self.at(shard) for shard in shards]

    def _key(self, name: str) -> str:
        return f"{self.prefix}:{{{self.shard or 0}}}:{name}"

    def _of(self, clip: str, kind: str) -> str:
        shard = _shard(clip, self.shards) if self.shard is None else self.shard
        return f"{self.prefix}:{{{shard}}}:{kind}:{clip}"

    def _first(self, name: str) -> str:
        return f"{self.prefix}:{{0}}:{name}"

    @property
    def layouts(self) -> str:
        """Set of the numbers of shards under which clips were put here."""
        return self._first("layouts")

    @property
    def lanes(self) -> tuple[str, ...]:
        """Streams of faces that wait for a worker, those that are to be read first in front."""
        return self.faces, self._key("faces:later"), self._key("faces:last")

    @property
    def faces(self) -> str:
        """The first of them."""
        return self._key("faces")

    @property
    def queries(self) -> str:
        """Stream of embeddings that wait for retrieval."""
        return self._key("embeddings")

    @property
    def dead(self) -> str:
        """Stream of entries that were given up."""
        return self._key("dead")

    @property
    def clips(self) -> str:
        """Sorted set of all clip ids, by time of creation."""
        return self._key("clips")

    @property
    def completed(self) -> str:
        """Set of clips whose every face is done and whose files are not yet ordered."""
        return self._key("completed")

    @property
    def services(self) -> str:
        """Hash of the last heartbeat of each service."""
        return self._first("services")

    @property
    def counters(self) -> str:
        """Hash of totals over all clips."""
        return self._key("counters")

    @property
    def trainings(self) -> str:
        """Hash of all training runs, by name."""
        return self._first("trainings")

    @property
    def stopping(self) -> str:
        """Set of the training runs that are to stop."""
        return self._first("stopping")

    def training(self, run: str) -> str:
        """How far a training run is right now."""
        return self._first(f"training:{run}")

    def clip(self, clip: str) -> str:
        """Hash of one clip's job and progress."""
        return self._of(clip, "clip")

    def frames(self, clip: str) -> str:
        """Stream of a clip's decoded frames."""
        return self._of(clip, "frames")

    def readings(self, clip: str) -> str:
        """Stream of a clip's readings."""
        return self._of(clip, "results")

    def neighbours(self, clip: str) -> str:
        """Stream of a clip's neighbours."""
        return self._of(clip, "neighbours")

    def previews(self, clip: str) -> str:
        """Stream of small pictures of a clip under way."""
        return self._of(clip, "previews")

    @property
    def due(self) -> str:
        """Sorted set of the clips' jobs, by when they are due; it is where RQ's queues are."""
        return f"{self.prefix}:due"

    def queue(self, name: str) -> str:
        """Name of an RQ queue."""
        return f"{self.prefix}:{name}"


def _shard(clip: str, shards: int) -> int:
    return crc32(clip.encode(errors="replace")) % shards
