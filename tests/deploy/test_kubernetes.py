"""The Kubernetes overlays: rendered by kubectl, checked against the schemas and our own settings."""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any, Final

import kubernetes_validate
import promql_parser
import pytest
import yaml
from cloudcoil.models.keda.v1alpha1 import ScaledObject
from pydantic import ValidationError

from shared.settings import Settings, load_settings
from tests.deploy.files import DEPLOY, ROOT, check_command

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not on this machine")

OVERLAYS: Final = ("cpu", "gpu")
VERSIONS: Final = ("1.30", kubernetes_validate.latest_version())
SERVICES: Final = ("watcher", "ingest", "worker", "retrieval", "recorder", "trainer", "dashboard")

Manifest = dict[str, Any]


@cache
def _rendered(overlay: str) -> tuple[Manifest, ...]:
    return _render(DEPLOY / "kubernetes/overlays" / overlay)


def _render(folder: Path) -> tuple[Manifest, ...]:
    done = subprocess.run(
        ["kubectl", "kustomize", str(folder)], capture_output=True, text=True, timeout=120, check=True
    )
    return tuple(yaml.safe_load_all(done.stdout))


def _of(overlay: str, kind: str) -> dict[str, Manifest]:
    """The resources of a kind, by name."""
    return {one["metadata"]["name"]: one for one in _rendered(overlay) if one["kind"] == kind}


def _container(workload: Manifest) -> Manifest:
    (container,) = workload["spec"]["template"]["spec"]["containers"]
    found: Manifest = container
    return found


def _check(manifest: Manifest, version: str) -> None:
    """Raise an error where the cluster would refuse or ignore a part of a manifest."""
    if manifest["kind"] != "ScaledObject":
        kubernetes_validate.validate(manifest, version, strict=True)
        return
    understood = ScaledObject.model_validate(manifest).model_dump(
        by_alias=True, exclude_unset=True, mode="json"
    )
    if understood != manifest:
        raise ValueError("KEDA would ignore a part of it")


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("version", VERSIONS)
def test_every_manifest_fits_its_schema(overlay: str, version: str) -> None:
    for manifest in _rendered(overlay):
        _check(manifest, version)
        assert manifest["kind"] == "Namespace" or manifest["metadata"]["namespace"] == "reelmood"


@pytest.mark.parametrize("kind", ["Deployment", "ScaledObject", "StatefulSet"])
def test_a_slip_of_the_pen_would_be_noticed(kind: str) -> None:
    (manifest, *_) = _of("cpu", kind).values()
    slip = manifest | {"spec": manifest["spec"] | {"maxReplicaCuont": 3}}
    with pytest.raises((ValueError, kubernetes_validate.ValidationError)):
        _check(slip, VERSIONS[-1])
    with pytest.raises((ValidationError, kubernetes_validate.ValidationError)):
        _check(manifest | {"spec": {}}, VERSIONS[-1])


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_contained_and_looked_after(overlay: str, name: str) -> None:
    deployment = _of(overlay, "Deployment")[name]
    pod, container = deployment["spec"]["template"]["spec"], _container(deployment)
    check_command(container["args"])
    assert pod["terminationGracePeriodSeconds"] > Settings().hang_s
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["resources"].keys() == {"requests", "limits"}
    ports = {port["name"] for port in container["ports"]}
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"]["port"] in ports
    image, _, version = container["image"].partition(":")
    assert image.startswith("reelmood-")
    assert version not in ("", "latest")


def test_the_overlay_of_the_guide_puts_the_images_in_a_registry(tmp_path: Path) -> None:
    guide = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    (overlay,) = [
        block.partition("```")[0]
        for block in guide.split("```yaml\n")[1:]
        if block.startswith("resources: [../cpu]")
    ]
    base = os.path.relpath(DEPLOY / "kubernetes/overlays/cpu", tmp_path.resolve())
    (tmp_path / "kustomization.yaml").write_text(overlay.replace("../cpu", base))
    images = {_container(one)["image"] for one in _render(tmp_path) if one["kind"] == "Deployment"}
    assert images == {f"registry.example/reelmood-{each}:0.1.0" for each in ("base", "worker-cpu", "trainer")}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_settings_are_settings(overlay: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (settings,) = [one["data"] for name, one in _of(overlay, "ConfigMap").items() if "settings" in name]
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("REELMOOD_REDIS_URL", "redis://valkey")
    assert {name.removeprefix("REELMOOD_").lower() for name in settings} <= Settings.model_fields.keys()
    probed = {
        port["containerPort"]
        for deployment in _of(overlay, "Deployment").values()
        for port in _container(deployment)["ports"]
    }
    assert probed == {load_settings().metrics_port, load_settings().dashboard_port}
    mounts = {
        mount["name"]: mount["mountPath"]
        for mount in _container(_of(overlay, "Deployment")["worker"])["volumeMounts"]
    }
    assert settings["REELMOOD_REDIS_URL_FILE"] == f"{mounts['broker']}/url"
    assert settings["REELMOOD_HOME"] == mounts["data"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_only_the_gpu_overlay_asks_for_a_gpu(overlay: str) -> None:
    deployments = _of(overlay, "Deployment")
    asking = {
        name
        for name, one in deployments.items()
        if "nvidia.com/gpu" in _container(one)["resources"]["limits"]
    }
    assert asking == ({"worker", "trainer"} if overlay == "gpu" else set())
    device = [
        one["value"]
        for one in _container(deployments["worker"]).get("env", [])
        if one["name"] == "REELMOOD_DEVICE"
    ]
    assert device == (["cuda"] if overlay == "gpu" else [])
    assert _container(deployments["worker"])["image"].startswith(f"reelmood-worker-{overlay}:")


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_selectors_meet_pods(overlay: str) -> None:
    workloads = _of(overlay, "Deployment") | _of(overlay, "StatefulSet")
    labels = {name: one["spec"]["template"]["metadata"]["labels"] for name, one in workloads.items()}
    for name, workload in workloads.items():
        assert workload["spec"]["selector"]["matchLabels"].items() <= labels[name].items()
    for name, budget in _of(overlay, "PodDisruptionBudget").items():
        assert budget["spec"]["selector"]["matchLabels"].items() <= labels[name].items()
    for name, service in _of(overlay, "Service").items():
        assert service["spec"]["selector"].items() <= labels[name].items()
        ports = {port["name"] for port in _container(workloads[name])["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_network_lets_through_what_is_needed_and_no_more(overlay: str) -> None:
    policies = _of(overlay, "NetworkPolicy")
    assert policies["nothing"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    leaving = [rule for policy in policies.values() for rule in policy["spec"].get("egress", [])]
    assert sorted(port["port"] for rule in leaving for port in rule["ports"]) == [53, 53, 6379]
    assert all(rule["to"] for rule in leaving)
    coming = [rule for policy in policies.values() for rule in policy["spec"].get("ingress", [])]
    assert sorted(port["port"] for rule in coming for port in rule["ports"]) == [6379, 8501, 9100]
    assert all(rule["from"] for rule in coming)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_is_scaled_is_scaled_by_metrics_that_there_are(overlay: str, exposed: set[str]) -> None:
    scaled = _of(overlay, "ScaledObject")
    assert scaled.keys() == {"ingest", "worker", "trainer"}
    (port,) = _of(overlay, "Service")["watcher"]["spec"]["ports"]
    for name, one in scaled.items():
        assert one["spec"]["scaleTargetRef"]["name"] == name
        assert "replicas" not in _of(overlay, "Deployment")[name]["spec"]
        assert one["spec"]["minReplicaCount"] == 0
        for trigger in one["spec"]["triggers"]:
            assert trigger["metadata"]["url"] == f"http://watcher.reelmood.svc:{port['port']}/metrics"
            series = promql_parser.parse(trigger["metadata"]["valueLocation"])
            assert isinstance(series, promql_parser.VectorSelector)
            assert series.name in exposed


def _replicas(overlay: str, name: str, **metrics: int) -> int:
    """How many replicas KEDA and the autoscaler behind it settle on."""
    spec = _of(overlay, "ScaledObject")[name]["spec"]
    modifiers = spec["advanced"]["scalingModifiers"]
    assert {trigger["name"] for trigger in spec["triggers"]} == metrics.keys()
    # KEDA's language for formulas has max, min and the arithmetic in common with Python.
    value = eval(modifiers["formula"], {"max": max, "min": min}, dict(metrics))  # noqa: S307 - our own file
    if value <= float(modifiers["activationTarget"]):
        return int(spec["minReplicaCount"])
    wanted = -(-value // float(modifiers["target"]))
    return int(min(max(wanted, 1), spec["maxReplicaCount"]))


def test_workers_follow_the_unread_faces() -> None:
    full = Settings().high_water
    assert _replicas("cpu", "worker", faces=0, taken=0) == 0
    assert _replicas("cpu", "worker", faces=1, taken=0) == 1
    assert _replicas("cpu", "worker", faces=64, taken=64) == 1  # what a dead worker had is not left lying
    assert _replicas("cpu", "worker", faces=632, taken=32) == 3
    assert _replicas("cpu", "worker", faces=full, taken=0) == 10
    assert _replicas("gpu", "worker", faces=full, taken=0) == 4


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_as_many_workers_as_there_may_be_are_reached_before_ingest_pauses(overlay: str) -> None:
    spec = _of(overlay, "ScaledObject")["worker"]["spec"]
    target = float(spec["advanced"]["scalingModifiers"]["target"])
    assert target * spec["maxReplicaCount"] <= Settings().high_water


def test_ingest_follows_the_clips_and_training_the_runs() -> None:
    assert _replicas("cpu", "ingest", waiting=0, taken=0) == 0
    assert _replicas("cpu", "ingest", waiting=0, taken=2) == 2  # clips under way keep their processes
    assert _replicas("cpu", "ingest", waiting=3, taken=2) == 5
    assert _replicas("cpu", "ingest", waiting=300, taken=8) == 8
    assert _replicas("gpu", "trainer", waiting=2, taken=0) == 1
    assert _replicas("gpu", "trainer", waiting=0, taken=0) == 0
