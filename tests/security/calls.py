"""A callback that RQ would import and call."""

import os
from typing import Any


def made(job: Any, *_: object) -> None:
    """Make the folder that the job's description names."""
    os.mkdir(job.description)  # noqa: PTH102 - what an attacker would call
