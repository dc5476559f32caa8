"""The `fer` package's own loop over clips: a script for the virtual environment that `make bench-fer` makes.

It imports nothing of Reelmood, and writes one JSON object a line: clip, frames, faces, seconds.
"""

import importlib
import json
import sys
import time

import cv2


def main(paths: list[str]) -> None:
    """Read each clip from its first to its last frame, all faces of each frame."""
    detector = importlib.import_module("fer.fer").FER(mtcnn=False)
    for path in paths:
        frames = faces = 0
        began = time.perf_counter()
        capture = cv2.VideoCapture(path)
        while True:
            there, frame = capture.read()
            if not there:
                break
            frames += 1
            faces += len(detector.detect_emotions(frame))
        capture.release()
        seconds = time.perf_counter() - began
        row = {"clip": path, "frames": frames, "faces": faces, "seconds": seconds}
        sys.stdout.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
