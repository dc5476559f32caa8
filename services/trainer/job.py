"""The job that RQ runs for every training run: from its spec to a model in the registry."""

import logging
import threading
from pathlib import Path

import msgspec

from services.trainer.observer import BrokerObserver
from shared import runs
from shared.errors import DataError, ModelError, ReelmoodError
from shared.logs import copied_to
from shared.queues import trainings
from shared.queues.broker import Broker
from shared.queues.outage import insist, reach
from shared.queues.trainings import State, Training
from shared.settings import Settings, load_settings
from shared.storage import models
from shared.storage.store import StoreError
from training.observer import Observer, Stopped
from training.run import train
from training.spec import RunSpec

logger = logging.getLogger(__name__)


def train_run(name: str) -> None:
    """Train what was ordered under this name, from the last epoch that an earlier run of this job saved.

    However it ends, the broker knows: done with the model's folder, stopped, or failed with a reason in one
    line. While the broker is away, the training goes on, and its end waits for it.
    """
    settings = load_settings()
    broker = reach(settings, threading.Event())
    if broker is not None:
        work(settings, broker, name)


def work(settings: Settings, broker: Broker, name: str) -> None:
    """Do a run that has been ordered; return quietly when it has ended or is to stop."""
    run = insist(lambda: trainings.begin(broker, name))
    if run is None or not runs.is_run_name(name):
        return
    folder = settings.runs / name
    folder.mkdir(parents=True, exist_ok=True)
    with copied_to(folder / runs.LOG_FILE):
        state, error, model = _outcome(settings, run, BrokerObserver(broker, name))
    insist(lambda: trainings.end(broker, name, state, error=error, model=model))


def _outcome(settings: Settings, run: Training, observe: Observer) -> tuple[State, str, str]:
    """Return how a run ends: its state, why it failed, the folder of its model."""
    try:
        model = _train(settings, run, observe)
    except Stopped as stopped:
        logger.info("%s", stopped)
        return State.STOPPED, "", ""
    except ReelmoodError as error:
        logger.error("%s", error)
        return State.FAILED, str(error), ""
    except Exception as error:
        logger.exception("run %s ends with an error of its own", run.name)
        return State.FAILED, f"{type(error).__name__}: {error}".splitlines()[0], ""
    return State.DONE, "", str(model)


def _train(settings: Settings, run: Training, observe: Observer) -> Path:
    spec = _spec_of(run)
    registered = settings.models / spec.name
    if run.starts == 1 or not registered.exists():
        _register(settings, spec, registered, observe)
    try:
        models.share(settings, spec.name)
    except (ModelError, StoreError) as error:
        logger.warning("model %s is on this host only: %s", spec.name, error)
    return registered


def _register(settings: Settings, spec: RunSpec, registered: Path, observe: Observer) -> None:
    out = settings.runs / spec.name
    finished = out / spec.name
    if not finished.exists():
        train(spec, out, models=settings.models, cache=settings.home / "cache", observe=observe)
    registered.parent.mkdir(parents=True, exist_ok=True)
    finished.rename(registered)
    logger.info("model %s is in %s", spec.name, registered)


def _spec_of(run: Training) -> RunSpec:
    try:
        spec = msgspec.json.decode(run.spec, type=RunSpec)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise DataError(f"the order of run {run.name} cannot be read: {error}") from None
    if spec.name != run.name:
        raise DataError(f"run {run.name} was ordered as {spec.name}")
    return spec
