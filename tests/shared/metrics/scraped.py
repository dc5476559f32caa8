"""What Prometheus would read."""

import urllib.error
import urllib.request
from collections.abc import Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

Samples = dict[str, float]
"""By name and labels, as in `name{label="value"}`."""


def samples(text: str) -> Samples:
    """Parse a whole answer of `/metrics`; raises ValueError where Prometheus would refuse it."""
    return {
        _key(sample.name, sample.labels): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def collect(registry: CollectorRegistry) -> Samples:
    """Return what a registry tells."""
    return samples(generate_latest(registry).decode())


def get(port: int, path: str) -> tuple[int, str]:
    """Return status and body of an answer on loopback; status 0 where nothing listens."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except urllib.error.URLError:
        return 0, ""


def _key(name: str, labels: Mapping[str, str]) -> str:
    inside = ",".join(f'{label}="{value}"' for label, value in sorted(labels.items()))
    return f"{name}{{{inside}}}" if inside else name
