"""`reelmood doctor`: what is wrong with this machine's set-up."""

import logging
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from shared.errors import ReelmoodError
from shared.queues.broker import address_of, connect, public
from shared.queues.embedded import embedded_broker
from shared.settings import Settings, load_settings
from shared.storage.clips import kept

_LITTLE_GB = 2.0


def doctor(as_json: Annotated[bool, typer.Option("--json", help="as JSON, for scripts")] = False) -> None:
    """Check broker, folders, face detector, codecs, device and model. Exit code 1: something is wrong."""
    logging.getLogger().setLevel(logging.WARNING)
    results = list(_examine(load_settings()))
    if as_json:
        rows = [{"check": name, "ok": ok, "found": found} for name, ok, found in results]
        typer.echo(msgspec.json.encode(rows).decode())
    else:
        for name, ok, found in results:
            typer.echo(f"{'ok   ' if ok else 'WRONG'}  {name:<14} {found}")
    if not all(ok for _, ok, _ in results):
        raise typer.Exit(1)


def _examine(settings: Settings) -> Iterator[tuple[str, bool, str]]:
    checks: dict[str, Callable[[Settings], str]] = {
        "folders": _folders,
        **({"store": _store} if settings.store else {}),
        "broker": _broker,
        "face detector": _detector,
        "video codecs": _codecs,
        "device": _device,
        "model": _model,
    }
    for name, check in checks.items():
        try:
            yield name, True, check(settings)
        except (ReelmoodError, OSError, ImportError) as error:
            yield name, False, str(error)


def _folders(settings: Settings) -> str:
    settings.home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=settings.home):
        free = shutil.disk_usage(settings.home).free / 1e9
    if free < _LITTLE_GB:
        raise ReelmoodError(f"only {free:.1f} GB are free in {settings.home.resolve()}")
    return f"{settings.home.resolve()} is writable, {free:.0f} GB free"


def _store(settings: Settings) -> str:
    found = kept(settings)
    return f"{settings.store} answers, {len(found):,} files of clips"


def _broker(settings: Settings) -> str:
    try:
        address = address_of(settings)
    except ReelmoodError:
        with tempfile.TemporaryDirectory() as folder, embedded_broker(Path(folder)) as url:
            version = connect(settings.model_copy(update={"redis_url": url})).client.info("server")
            return f"none is running; the embedded one starts (Redis {version['redis_version']} commands)"
    version = connect(settings).client.info("server")
    return f"answers at {public(address)}, Redis {version['redis_version']} commands"


def _detector(settings: Settings) -> str:
    import cv2

    from shared.faces.detection import HaarDetector

    HaarDetector(settings.min_face_fraction)
    return f"Haar cascade loads, OpenCV {cv2.__version__}"


def _codecs(_: Settings) -> str:
    import av

    missing = [name for name in ("libx264", "aac") if name not in av.codecs_available]
    if missing:
        raise ReelmoodError(f"PyAV lacks {', '.join(missing)}: annotated videos cannot be written")
    return f"H.264 and AAC can be written, PyAV {av.__version__}"


def _device(settings: Settings) -> str:
    from services.worker.device import describe, resolve
    from shared.poster.precision import choose_dtype

    device = resolve(settings.device)
    return f"{describe(device)}, in {str(choose_dtype(settings.precision, device)).removeprefix('torch.')}"


def _model(settings: Settings) -> str:
    from shared.poster.promotion import load_and_try

    model = load_and_try(settings.model, settings.models)
    return f"{model.id} loads, {model.num_classes} labels, {model.embedding_dim}-d embedding"
