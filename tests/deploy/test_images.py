"""What goes into the images, without building them."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import packages_distributions, requires

import grimp
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.deploy.files import DEPLOY, ROOT

PACKAGES = DEPLOY / "packages"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
STAGES = {name: text for text, name in re.findall(r"^FROM (\S+) AS (\S+)$", DOCKERFILE, re.MULTILINE)}

IMPORT = """
import sys
from importlib import import_module
from importlib.metadata import packages_distributions
from packaging.utils import canonicalize_name
from pkgutil import walk_packages

roots, installed = sys.argv[1].split(","), set(sys.argv[2].split(","))
owners = packages_distributions()

class Image:  # finds what a finder finds, but for packages that the image has not
    def __init__(self, finder):
        self.finder = finder

    def __getattr__(self, name):
        return getattr(self.finder, name)

    def find_spec(self, name, path=None, target=None):
        names = {canonicalize_name(owner) for owner in owners.get(name.partition(".")[0], [])}
        absent = names and names.isdisjoint(installed)
        return None if absent else self.finder.find_spec(name, path, target)

for name in [name for name in sys.modules if name.partition(".")[0] == "packaging"]:
    del sys.modules[name]
sys.meta_path[:] = [Image(finder) for finder in sys.meta_path]
for root in roots:
    for module in walk_packages(getattr(import_module(root), "__path__", []), f"{root}."):
        if module.name != "services.dashboard.app":  # draws the page
            import_module(module.name)
"""


def _names(*lists: str) -> list[str]:
    lines = "\n".join((PACKAGES / each).read_text(encoding="utf-8") for each in lists).splitlines()
    return [canonicalize_name(Requirement(line).name) for line in lines if line and not line.startswith("#")]


def _needed(names: Iterable[str]) -> set[str]:
    """What the packages of these names need in this environment, without what is overridden away."""
    found: set[str] = set()
    left = list(names)
    while left:
        name = left.pop()
        if name in found or name == "opencv-python":
            continue
        found.add(name)
        wanted = map(Requirement, requires(name) or [])
        left += [
            canonicalize_name(one.name)
            for one in wanted
            if not one.marker or one.marker.evaluate({"extra": ""})
        ]
    return found


def _import(roots: list[str], installed: set[str]) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", IMPORT, ",".join(roots), ",".join(installed)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)


def test_the_lists_name_every_dependency_once() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = [*project["dependencies"], *project["optional-dependencies"]["s3"]]
    dependencies = [canonicalize_name(Requirement(each).name) for each in needed]
    assert sorted(_names("base.txt", "worker.txt", "trainer.txt")) == sorted(dependencies)


def test_the_overrides_are_those_of_the_lock() -> None:
    uv = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["uv"]
    lines = (PACKAGES / "overrides.txt").read_text(encoding="utf-8").replace('"', "'").splitlines()
    for override in uv["override-dependencies"]:
        requirement = Requirement(override)
        assert f"{requirement.name} ; {requirement.marker}".replace('"', "'") in lines
    (facenet,) = uv["dependency-metadata"]
    bounded = {Requirement(one).name.lower() for one in requires("facenet-pytorch") or [] if "<" in one}
    assert bounded - {"requests", "tqdm"} <= set(lines)
    assert facenet["name"] == "facenet-pytorch"


def test_the_base_image_has_no_torch() -> None:
    needed = _needed(_names("base.txt"))
    assert {"streamlit", "faiss-cpu", "click", "tqdm"} <= needed
    assert not {name for name in needed if re.match(r"torch|nvidia|triton|facenet|peft|opencv-python$", name)}


def test_the_base_image_has_all_that_its_services_import() -> None:
    services = ("cli", "ingest", "retrieval", "recorder", "dashboard")
    done = _import([f"services.{each}" for each in services], _needed(_names("base.txt")))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("roots", "lists"),
    [
        (["services.worker"], ["base.txt", "worker.txt"]),
        (["services.trainer", "training"], ["base.txt", "worker.txt", "trainer.txt"]),
    ],
)
def test_an_image_with_torch_has_all_that_its_code_names(roots: list[str], lists: list[str]) -> None:
    graph = grimp.build_graph("services", "shared", "training", include_external_packages=True)
    reached = {
        each.partition(".")[0]
        for root in roots
        for each in graph.find_upstream_modules(root, as_package=True)
    }
    outside = reached - {"services", "shared", "training"} - sys.stdlib_module_names
    assert {"torch", "safetensors"} <= outside
    owners, needed = packages_distributions(), _needed(_names(*lists))
    for name in outside:
        assert {canonicalize_name(owner) for owner in owners[name]} & needed, name


def test_a_package_that_is_missing_would_be_noticed() -> None:
    done = _import(["services.ingest"], _needed(_names("base.txt")) - {"scipy"})
    assert done.returncode != 0
    assert "scipy" in done.stderr


@pytest.mark.parametrize("target", ["base", "worker-cpu", "worker-gpu", "trainer"])
def test_an_image_runs_reelmood_as_nobody_in_particular(target: str) -> None:
    stage = DOCKERFILE.partition(f" AS {target}\n")[2].partition("\nFROM ")[0]
    assert re.findall(r"^USER (.+)$", stage, re.MULTILINE) == ["10001:10001"]
    ancestors = [target]
    while ancestors[-1] in STAGES:
        ancestors.append(STAGES[ancestors[-1]])
    assert "packages" in ancestors
    assert 'ENTRYPOINT ["tini", "--", "reelmood"]' in DOCKERFILE


def test_the_builder_sees_only_what_the_images_are_made_of() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    sources = {source for line in copied for source in line.split()} | set(
        re.findall(r"type=bind,source=([^,\s]+)", DOCKERFILE)
    )
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {line[1:] for line in lines if line.startswith("!")} == sources
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) <= sources
    assert "*" in lines
