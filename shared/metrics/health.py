"""What a pulse says about a service: whether it lives, and whether it can work."""

import msgspec

from shared.pulse import Pulse


class Health(msgspec.Struct, frozen=True):
    """The state of a service. `live`: its main loop goes round; `ready`: it can work, too."""

    live: bool
    ready: bool
    silent_s: float
    """Seconds since the main loop last went round."""


def examine(pulse: Pulse, hang_s: float) -> Health:
    """Return the state of a service whose loop hangs when it has been silent for `hang_s` seconds."""
    silent_s = pulse.silent_s()
    live = silent_s < hang_s
    return Health(live, live and pulse.ready, round(silent_s, 3))
