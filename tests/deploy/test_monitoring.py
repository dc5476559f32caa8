"""Prometheus' rules and Grafana's dashboard speak of metrics that there are."""

import json
import shutil
import subprocess

import promql_parser
import pytest
from promql_parser import Expr, VectorSelector

from tests.deploy.files import DEPLOY, ROOT, read_yaml

ALERTS = [rule for group in read_yaml(DEPLOY / "prometheus/alerts.yml")["groups"] for rule in group["rules"]]
DASHBOARD = json.loads((DEPLOY / "grafana/dashboards/reelmood.json").read_text(encoding="utf-8"))
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]


def _asked(query: str) -> list[VectorSelector]:
    """All series that a query asks for, Grafana's variable filled in.

    Raises ValueError where Prometheus would refuse it.
    """
    found: list[VectorSelector] = []

    def visit(expression: Expr) -> bool:
        if isinstance(expression, VectorSelector):
            found.append(expression)
        return True

    promql_parser.walk(promql_parser.parse(query.replace("$__rate_interval", "1m")), visit)
    return found


def test_every_name_in_an_expression_is_found() -> None:
    query = (
        "sum by (a) (rate(b_sum[$__rate_interval])) / -c > 0.8 * d"
        ' and on () absent(e{f="g"}) or max_over_time(h[5m:1m])'
    )
    assert [one.name for one in _asked(query)] == ["b_sum", "c", "d", "e", "h"]


@pytest.mark.parametrize("query", [*QUERIES, *(rule["expr"] for rule in ALERTS)])
def test_every_metric_that_is_asked_for_is_told(query: str, exposed: set[str]) -> None:
    asked = {one.name for one in _asked(query)}
    assert asked
    assert asked <= exposed


def test_every_job_that_is_asked_for_is_scraped() -> None:
    scraped = {job["job_name"] for job in read_yaml(DEPLOY / "prometheus/prometheus.yml")["scrape_configs"]}
    asked = {
        matcher.value
        for query in [*QUERIES, *(rule["expr"] for rule in ALERTS)]
        for selector in _asked(query)
        for matcher in selector.matchers.matchers
        if matcher.name == "job"
    }
    assert asked == {"worker"}
    assert asked <= scraped


def test_every_service_of_the_compose_file_is_scraped() -> None:
    services = read_yaml(ROOT / "docker-compose.yml")["services"]
    telling = {name for name, one in services.items() if "env_file" in one and name != "dashboard"}
    jobs = read_yaml(DEPLOY / "prometheus/prometheus.yml")["scrape_configs"]
    found = [found for job in jobs for found in job["dns_sd_configs"]]
    assert {name for one in found for name in one["names"]} == telling
    assert {str(one["port"]) for one in found} == {services["worker"]["environment"]["REELMOOD_METRICS_PORT"]}


def test_the_dashboard_has_what_operators_look_at() -> None:
    asked = {selector.name for query in QUERIES for selector in _asked(query)}
    assert asked >= {
        "reelmood_queue_depth",
        "reelmood_queue_oldest_age_seconds",
        "reelmood_committed_total",
        "reelmood_batch_size_sum",
        "reelmood_step_seconds_sum",
        "reelmood_job_seconds_total",
        "reelmood_dead_letters_total",
    }


def test_the_dashboard_is_provisioned_where_grafana_looks() -> None:
    (provider,) = read_yaml(DEPLOY / "grafana/provisioning/dashboards/reelmood.yml")["providers"]
    (source,) = read_yaml(DEPLOY / "grafana/provisioning/datasources/prometheus.yml")["datasources"]
    grafana = read_yaml(ROOT / "docker-compose.yml")["services"]["grafana"]
    mounted = dict(volume.split(":")[:2] for volume in grafana["volumes"])
    assert mounted["./deploy/grafana/dashboards"] == provider["options"]["path"]
    home = grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home == f"{provider['options']['path']}/reelmood.json"
    assert {panel["datasource"]["uid"] for panel in DASHBOARD["panels"]} == {source["uid"]}


def test_every_alert_is_explained() -> None:
    guide = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    section = guide.partition("\n## Alerts\n")[2].partition("\n## ")[0]
    explained = [line.split("`")[1] for line in section.splitlines() if line.startswith("| `")]
    assert explained == [rule["alert"] for rule in ALERTS]
    assert all(rule["annotations"]["summary"] and rule["labels"]["severity"] for rule in ALERTS)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="Prometheus' promtool is not on this machine")
@pytest.mark.parametrize("check", ["check config prometheus.yml", "test rules alerts.test.yml"])
def test_prometheus_takes_the_files_and_fires_when_it_should(check: str) -> None:
    done = subprocess.run(
        ["promtool", *check.split()], cwd=DEPLOY / "prometheus", capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
