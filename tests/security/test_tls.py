"""A broker with password and TLS, through nothing but its URL."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from shared.errors import BrokerError
from shared.queues.broker import connect
from shared.settings import Settings
from tests.clips import walk, write_clip
from tests.integration.reelmood import COMMAND, eventually, run
from tests.security.tls import make_certificate, tls_proxy


@dataclass(frozen=True)
class Secured:
    """A broker behind TLS: its address without options, its certificate, and its password."""

    url: str
    certificate: Path
    password: str

    @property
    def trusted(self) -> str:
        return f"{self.url}?ssl_ca_certs={self.certificate}"


@pytest.fixture(scope="module")
def secured(broker_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    certificate, key = make_certificate(tmp_path_factory.mktemp("tls"), "broker")
    parts = urlsplit(broker_url)
    assert parts.port
    assert parts.password
    with tls_proxy(certificate, key, parts.port) as port:
        yield Secured(f"rediss://:{parts.password}@127.0.0.1:{port}/0", certificate, parts.password)


def complaint(url: str) -> str:
    """Return the one line that connecting ends in."""
    with pytest.raises(BrokerError) as caught:
        connect(Settings(redis_url=url))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_clip_goes_all_the_way(secured: Secured, tmp_path: Path, port: int) -> None:
    clip = write_clip(tmp_path / "walk.mp4", walk(20))
    home, log = tmp_path / "home", tmp_path / "up.log"
    url = tmp_path / "url"
    url.write_text(f"{secured.trusted}\n")
    environment = {
        "REELMOOD_HOME": str(home),
        "REELMOOD_REDIS_URL_FILE": str(url),
        "REELMOOD_PREFIX": "tls",
        "REELMOOD_STABLE_S": "0",
        "OMP_NUM_THREADS": "1",
    }
    with log.open("w") as file:
        command = [*COMMAND, "up", "--port", str(port)]
        running = psutil.Popen(command, env=environment, stdout=file, stderr=subprocess.STDOUT)
    try:
        eventually((home / "incoming").is_dir, "the start")
        shutil.copy(clip, home / "incoming")
        eventually((home / "done" / "walk.mp4").exists, "the clip's end")
        answer = run("status", "--json", **environment)
        assert [clip["state"] for clip in json.loads(answer.stdout)["clips"]] == ["done"], answer.stderr
        commands = [child.cmdline() for child in running.children(recursive=True)]
    finally:
        running.terminate()
        running.wait(60)
    assert not (home / "broker").exists()
    told = log.read_text() + answer.stdout + answer.stderr + str(commands)
    assert secured.password not in told


def test_a_certificate_that_nobody_vouches_for(secured: Secured, tmp_path: Path) -> None:
    other, _ = make_certificate(tmp_path, "other")
    for url in (secured.url, f"{secured.url}?ssl_ca_certs={other}"):
        assert "shows a certificate that is not trusted" in complaint(url)


def test_a_certificate_of_another_host(secured: Secured) -> None:
    told = complaint(secured.trusted.replace("127.0.0.1", "localhost"))
    assert "shows a certificate that is not trusted" in told


def test_a_wrong_password(secured: Secured) -> None:
    told = complaint(secured.trusted.replace(secured.password, "wrong"))
    assert told.endswith("refuses the password")
    assert "wrong" not in told


def test_no_password(secured: Secured) -> None:
    assert "refuses the password" in complaint(secured.trusted.replace(f":{secured.password}@", ""))


def test_a_certificate_file_that_is_not_there(secured: Secured, tmp_path: Path) -> None:
    assert "is not there" in complaint(f"{secured.url}?ssl_ca_certs={tmp_path / 'absent.crt'}")


def test_a_client_that_speaks_no_tls(secured: Secured) -> None:
    assert "does not answer" in complaint(secured.url.replace("rediss://", "redis://"))


def test_an_option_that_there_is_not(secured: Secured) -> None:
    assert "an option that it does not have" in complaint(f"{secured.trusted}&no_such_option=1")
