"""Docker, or podman with podman-compose: whichever this machine has."""

import json
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from shared.errors import ReelmoodError
from tests.deploy.files import DEPLOY, ROOT

logger = logging.getLogger(__name__)

PROJECT: Final = "reelmood-trial"
OFFLINE: Final = "localhost/reelmood-offline"


@dataclass(frozen=True)
class Engine:
    """The commands of an engine. `arguments` go into each build, `variables` and `profiles` to compose."""

    build: tuple[str, ...]
    run: str
    compose: tuple[str, ...]
    arguments: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    profiles: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    def call(self, *command: str) -> str:
        """Run a command to its end and return what it prints; raises ReelmoodError when it fails."""
        asks = command[1:2] in (("exec",), ("ps",))
        logger.log(logging.DEBUG if asks else logging.INFO, "$ %s", " ".join(command))
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise ReelmoodError(f"it ended with {done.returncode}:\n{done.stderr[-4000:]}")
        return done.stdout

    def make(self, target: str) -> None:
        """Build one of the images."""
        arguments = [f"--build-arg={name}={value}" for name, value in self.arguments.items()]
        image = f"reelmood-{target}"
        self.call(*self.build, *arguments, "-f", "deploy/Dockerfile", "--target", target, "-t", image, ".")

    def up(self, variables: Path, **scale: int) -> None:
        """Start what does not run yet, so many of each service."""
        scales = [part for name, count in scale.items() for part in ("--scale", f"{name}={count}")]
        self.call(*self._compose(variables), "up", "-d", "--no-build", "--no-recreate", *scales)

    def down(self, variables: Path) -> None:
        """Stop and remove everything, the volumes too."""
        self.call(*self._compose(variables), "down", "--volumes")

    def containers(self, service: str) -> list[str]:
        """Return the ids of a service's containers that run."""
        labels = (f"com.docker.compose.project={PROJECT}", f"com.docker.compose.service={service}")
        filters = [part for label in labels for part in ("--filter", f"label={label}")]
        return self.call(self.run, "ps", "-q", *filters).split()

    def status(self) -> dict[str, Any]:
        """Ask the watcher's container for `reelmood status --json`."""
        (watcher,) = self.containers("watcher")
        answer: dict[str, Any] = json.loads(
            self.call(self.run, "exec", watcher, "reelmood", "status", "--json")
        )
        return answer

    def _compose(self, variables: Path) -> list[str]:
        profiles = [part for name in self.profiles for part in ("--profile", name)]
        return [*self.compose, *profiles, "-p", PROJECT, "--env-file", str(variables)]


def find_engine() -> Engine:
    """Return the engine of this machine.

    With REELMOOD_OFFLINE=1 podman is installed where it is missing, and base images are made from Debian's
    packages. Raises ReelmoodError when there is no engine.
    """
    uvx = str(Path(sys.executable).with_name("uvx"))
    # No cache of layers: buildah 1.28 cannot mount a stage that comes from it.
    podman = Engine(
        build=("buildah", "bud", "--isolation", "chroot", "--format", "docker"),
        run="podman",
        compose=(uvx, "podman-compose"),
    )
    if os.environ.get("REELMOOD_OFFLINE") == "1":
        settings = {"CONTAINERS_CONF": str(DEPLOY / "offline/containers.conf")}
        offline = Engine(
            podman.build,
            podman.run,
            podman.compose,
            arguments={
                "BASE": OFFLINE,
                "SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt",
                "TORCH_BACKEND": "",
            },
            variables={"VALKEY_IMAGE": OFFLINE},
            environment=settings,
        )
        offline.call(str(DEPLOY / "offline/base.sh"))
        return offline
    if shutil.which("docker"):
        return Engine(("docker", "build"), "docker", ("docker", "compose"))
    if shutil.which("podman") and shutil.which("buildah"):
        return podman
    raise ReelmoodError(
        "neither Docker nor podman with buildah is installed: REELMOOD_OFFLINE=1 installs podman"
    )
