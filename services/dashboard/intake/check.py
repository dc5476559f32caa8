"""A process of its own that opens a file as a clip: what a hostile file does to a decoder stays in it.

Exit code 0: its first frame could be decoded. Any other: it could not, and one line says why.
"""

import sys
from pathlib import Path
from typing import Final

from shared.errors import ClipError
from shared.process import computing_at_most
from shared.video import open_clip

_LIMIT_S: Final = 30.0


def main(path: Path) -> int:
    """Check a file and return the exit code."""
    try:
        with computing_at_most(_LIMIT_S), open_clip(path) as footage:
            next(footage.frames)
    except (ClipError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
