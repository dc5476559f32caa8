"""The names of all keys on the broker, made in this one place."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Keys:
    """Key names. The hash tag `{0}` keeps a shard's keys on one node of a cluster, as scripts need.

    Source: Redis Cluster specification, "Hash tags".
    """

    prefix: str

    def _key(self, name: str) -> str:
        return f"{self.prefix}:{{0}}:{name}"

    @property
    def faces(self) -> str:
        """Stream of faces that wait for a worker."""
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
        return self._key("services")

    @property
    def counters(self) -> str:
        """Hash of totals over all clips."""
        return self._key("counters")

    @property
    def trainings(self) -> str:
        """Hash of all training runs, by name."""
        return self._key("trainings")

    @property
    def stopping(self) -> str:
        """Set of the training runs that are to stop."""
        return self._key("stopping")

    def training(self, run: str) -> str:
        """How far a training run is right now."""
        return self._key(f"training:{run}")

    def clip(self, clip: str) -> str:
        """Hash of one clip's job and progress."""
        return self._key(f"clip:{clip}")

    def frames(self, clip: str) -> str:
        """Stream of a clip's decoded frames."""
        return self._key(f"frames:{clip}")

    def readings(self, clip: str) -> str:
        """Stream of a clip's readings."""
        return self._key(f"results:{clip}")

    def neighbours(self, clip: str) -> str:
        """Stream of a clip's neighbours."""
        return self._key(f"neighbours:{clip}")

    def queue(self, name: str) -> str:
        """Name of an RQ queue."""
        return f"{self.prefix}:{name}"
