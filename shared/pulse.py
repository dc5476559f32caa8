"""A service's pulse: when its main loop last went round, and whether it can work."""

import time
from dataclasses import dataclass, field


@dataclass
class Pulse:
    """How a main loop does. The loop alone writes it; heartbeat, health and metrics read it."""

    handled: int = 0
    """Entries that it has committed."""
    ready: bool = False
    """What it works with is loaded, and the broker answered the last time."""
    beaten_s: float = field(default_factory=time.monotonic)
    """When it last went round, on the monotonic clock."""

    def beat(self, *, ready: bool) -> None:
        """Take note that the loop goes round."""
        self.ready = ready
        self.beaten_s = time.monotonic()

    def silent_s(self) -> float:
        """Return the seconds since the loop last went round."""
        return time.monotonic() - self.beaten_s
