"""`reelmood bench waiting-worker`: a worker whose model only waits, for `reelmood bench scaling`."""

import os
import platform
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from services.stopping import stop_event
from shared.emotions import EMOTIONS
from shared.metrics.endpoint import endpoint
from shared.metrics.loop import loop_metrics
from shared.pulse import Pulse
from shared.queues.broker import connect
from shared.queues.heartbeat import heartbeat
from shared.queues.presence import Service
from shared.settings import load_settings

if TYPE_CHECKING:
    from services.worker.engine import FaceCrop, Predictions


class WaitingEngine:
    """Answers every face alike, `wait_s` seconds after it was asked; see `services.worker.engine`."""

    model = "waiting"
    device = "none"

    def __init__(self, wait_s: float) -> None:
        self._wait_s = wait_s

    def predict(self, faces: "Sequence[FaceCrop]") -> "Predictions":
        """Return the same for each face, after a time for each of them."""
        from services.worker.engine import Predictions

        time.sleep(self._wait_s * len(faces))
        explained = sum(face.explain for face in faces)
        return Predictions(
            probabilities=np.full((len(faces), len(EMOTIONS)), 1 / len(EMOTIONS), np.float32),
            embeddings=np.full((len(faces), 512), 512**-0.5, np.float32),
            aligned=np.ones(len(faces), np.bool_),
            cams=np.zeros((explained, 14, 14), np.uint8),
            portraits=[bytes(4000)] * explained,
        )


def waiting_worker(
    wait_ms: Annotated[float, typer.Option(min=0, help="milliseconds that a face takes")],
    slot: Annotated[int, typer.Option(min=1, help="number of this process among its kind")] = 1,
) -> None:
    """Work off the stream of faces with a model that only waits."""
    from services.worker.loop import run

    settings, stop, pulse = load_settings(), stop_event(), Pulse()
    broker, engine = connect(settings), WaitingEngine(wait_ms / 1000)
    name = f"waiting-{slot}"
    service = Service(
        name=name, kind="worker", pid=os.getpid(), host=platform.node(), device="none", model="waiting"
    )
    metrics = loop_metrics()
    with (
        endpoint(settings, pulse, metrics.registry),
        heartbeat(broker, service, pulse, settings.hang_s),
    ):
        run(settings, broker, lambda: engine, stop, name, pulse, metrics)
