"""Errors that a person can act on: one clear line and an exit code, never a traceback."""


class ReelmoodError(Exception):
    """Something the user can mend; `str(error)` is the one line to show."""

    exit_code = 2


class ClipError(ReelmoodError):
    """A clip that cannot be analysed; the message is the reason written beside it."""

    exit_code = 1


class ModelError(ReelmoodError):
    """A model folder or checkpoint that cannot be used."""


class BrokerError(ReelmoodError):
    """The broker cannot be started or reached."""


class BrokerAwayError(BrokerError):
    """The broker does not answer now, and may do so later."""


class DataError(ReelmoodError):
    """A data set that cannot be used."""


class MessageError(ReelmoodError):
    """A message that cannot be decoded, or is of a newer schema version."""
