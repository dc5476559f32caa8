"""`make containers`: the images built, and the compose stack run for real.

Clips are dropped into the folder and read by two workers; one is killed and the number raised while they run.
The results must be those of `reelmood analyze`, and a browser must see the clips. REELMOOD_TARGETS names the
images to build: `trainer` among them works off a training run, `worker-gpu` must refuse to go on without a
GPU. A log of each step goes to standard error.
"""

import json
import logging
import os
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final
from urllib.error import URLError
from urllib.request import urlopen

import pandas as pd
from playwright.sync_api import expect, sync_playwright

from shared.errors import ReelmoodError
from tests.browser.conftest import ARGUMENTS
from tests.chaos.ground import EXACT
from tests.clips import walk, write_clip
from tests.deploy.engine import Engine, find_engine
from tests.deploy.files import ROOT
from tests.services.trainer.pictures import draw_faces

logger = logging.getLogger("trial")

CLIPS: Final = 6
FRAMES: Final = 300
PORT: Final = 18501
TOLERANCE: Final = 1e-4
DEADLINE_S: Final = 900


def main() -> None:
    """Do all of it; ends with the exit code 1 and one line when something is not as it should be."""
    logging.basicConfig(level="INFO", format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    folder = Path(tempfile.mkdtemp(prefix="reelmood-trial-"))
    targets = os.environ.get("REELMOOD_TARGETS", "base worker-cpu").split()
    try:
        engine = find_engine()
        for target in targets:
            _build(engine, target)
        _try(_exactly(engine, folder, ("train",) if "trainer" in targets else ()), folder)
        if "worker-gpu" in targets:
            _ask_for_a_gpu(engine, folder)
        shutil.rmtree(folder)
    except ReelmoodError as error:
        logger.error("failed, see %s: %s", folder, error)
        sys.exit(1)
    logger.info("all is as it should be")


def _build(engine: Engine, target: str) -> None:
    begun = time.monotonic()
    engine.make(target)
    size = int(engine.call(engine.run, "image", "inspect", "-f", "{{.Size}}", f"reelmood-{target}"))
    logger.info("reelmood-%s: %.0f s, %.0f MB", target, time.monotonic() - begun, size / 1e6)


def _exactly(engine: Engine, folder: Path, profiles: tuple[str, ...]) -> Engine:
    """Return the engine with workers that compute in `EXACT`, as do the commands outside containers."""
    override = folder / "exact.yml"
    override.write_text(json.dumps({"services": {"worker": {"environment": EXACT}}}))  # JSON is YAML
    files = os.pathsep.join([str(ROOT / "docker-compose.yml"), str(override)])
    return replace(
        engine, profiles=profiles, environment={**engine.environment, **EXACT, "COMPOSE_FILE": files}
    )


def _try(engine: Engine, folder: Path) -> None:
    clips = [
        write_clip(
            folder / "made" / f"clip{number}.mp4", walk(FRAMES, start=(40 + 3 * number, 60, 56), step=0.2)
        )
        for number in range(CLIPS)
    ]
    expected = _analyse(engine, clips, folder / "expected")
    data, variables = folder / "data", folder / "env"
    for name in ("", "incoming", "done", "failed", "results", "models", "gallery", "runs"):
        (data / name).mkdir()
        (data / name).chmod(0o777)  # the container's user is nobody here
    given = {"BROKER_PASSWORD": secrets.token_hex(24), "DATA_FOLDER": str(data), "DASHBOARD_PORT": str(PORT)}
    variables.write_text(
        "".join(f"{name}={value}\n" for name, value in {**given, **engine.variables}.items())
    )
    own = ROOT / ".env"  # the compose file asks for it; what stands in ours wins
    made = not own.exists()
    if made:
        shutil.copy(ROOT / ".env.example", own)
    try:
        engine.up(variables, worker=2)
        _eventually(lambda: _alive(engine, "worker") == 2, "two workers are alive")
        for clip in clips:
            shutil.copy(clip, data / "incoming" / f"{clip.name}.part")
            (data / "incoming" / f"{clip.name}.part").rename(data / "incoming" / clip.name)
        _eventually(lambda: _read(engine) > FRAMES // 2, "faces are being read")
        engine.call(engine.run, "kill", engine.containers("worker")[0])
        logger.info("one worker is killed, %d faces are read", _read(engine))
        engine.up(variables, worker=3)
        _eventually(lambda: len(engine.containers("worker")) == 3, "three workers run")
        _eventually(lambda: len(list((data / "done").iterdir())) == CLIPS, "all clips are done")
        for clip in clips:
            _compare(data / "results" / clip.stem, expected / clip.stem)
        logger.info("%d clips: every row is that of `reelmood analyze`, to %g", CLIPS, TOLERANCE)
        _look(clips[0].name)
        if "train" in engine.profiles:
            _train(engine, data)
        stopped = time.monotonic()
        engine.call(engine.run, "stop", *engine.containers("worker"))
        logger.info("the workers end within %.1f s of SIGTERM", time.monotonic() - stopped)
    finally:
        engine.down(variables)
        if made:
            own.unlink()


def _analyse(engine: Engine, clips: list[Path], out: Path) -> Path:
    command = [sys.executable, "-m", "services.cli", "analyze", *map(str, clips), "--out", str(out)]
    engine.call(*command)
    return out


def _compare(found: Path, expected: Path) -> None:
    ours, theirs = (pd.read_parquet(each / "timeline.parquet") for each in (found, expected))
    try:
        pd.testing.assert_frame_equal(ours, theirs, rtol=0, atol=TOLERANCE)
    except AssertionError as error:
        raise ReelmoodError(f"{found.name} differs: {error}") from None


def _look(name: str) -> None:
    """See with a browser that the dashboard lists a clip; without one, that it answers."""
    address = f"http://127.0.0.1:{PORT}"
    _eventually(lambda: _answers(f"{address}/_stcore/health"), "the dashboard answers")
    path = shutil.which("chromium")
    if path is None:
        return
    with sync_playwright() as playwright:
        page = playwright.chromium.launch(executable_path=path, args=ARGUMENTS).new_page()
        page.goto(address)
        expect(page.get_by_text(name).first).to_be_visible(timeout=60_000)
    logger.info("a browser sees %s on the dashboard", name)


def _train(engine: Engine, data: Path) -> None:
    """Have the trainer's container work off a short run, for a model that the others find."""
    draw_faces(data / "faces")
    (trainer,) = engine.containers("trainer")
    order = ("train", "--enqueue", "--name", "trial", "--data", "/data/faces", "--epochs", "1")
    engine.call(engine.run, "exec", trainer, "reelmood", *order)
    _eventually((data / "models" / "trial" / "model.safetensors").exists, "a model is trained")


def _ask_for_a_gpu(engine: Engine, folder: Path) -> None:
    clip, *_ = sorted((folder / "made").iterdir())
    mount = ("--volume", f"{clip}:/data/{clip.name}:ro", "--env", "REELMOOD_DEVICE=cuda")
    confined = ("--rm", "--read-only", "--tmpfs", "/tmp", "--network", "none")  # noqa: S108 - in the container
    command = ("analyze", f"/data/{clip.name}", "--out", "/tmp/out")  # noqa: S108 - in the container
    try:
        engine.call(engine.run, "run", *confined, *mount, "reelmood-worker-gpu", *command)
    except ReelmoodError as error:
        said = [line for line in str(error).splitlines() if "no CUDA device" in line]
        if not said or "Traceback" in str(error):
            raise
        logger.info("without a GPU: %s", said[0])
        return
    raise ReelmoodError("a worker that was to use a GPU went on without one")


def _answers(address: str) -> bool:
    try:
        with urlopen(address, timeout=5) as answer:  # noqa: S310 - loopback
            return bool(answer.status == 200)
    except URLError:
        return False


def _alive(engine: Engine, kind: str) -> int:
    return sum(service["kind"] == kind for service in engine.status()["services"])


def _read(engine: Engine) -> int:
    return sum(clip["done"] for clip in engine.status()["clips"])


def _eventually(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not _holds(condition):
        if time.monotonic() > deadline:
            raise ReelmoodError(f"after {DEADLINE_S} s not yet: {what}")
        time.sleep(1)
    logger.info("%s", what)


def _holds(condition: Callable[[], bool]) -> bool:
    try:
        return condition()
    except ReelmoodError:
        return False  # a container that is being started answers nothing yet


if __name__ == "__main__":
    main()
