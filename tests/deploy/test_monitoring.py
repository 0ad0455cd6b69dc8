"""The dashboard and the alerts name metrics that are there, and Prometheus takes the alerts."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from livesegments.runtime import metrics

DEPLOY = Path(__file__).parents[2] / "deploy"
DASHBOARD, ALERTS = DEPLOY / "grafana-dashboard.json", DEPLOY / "prometheus-alerts.yml"


def exported() -> set[str]:
    """Every name of a time series that one of our services can show."""
    names: set[str] = set()
    for service in (metrics.INGEST, metrics.EVALUATOR, metrics.API, metrics.NOTIFY, metrics.CONSOLE):
        for metric in service.collect():
            match metric.type:
                case "counter":
                    names.add(f"{metric.name}_total")
                case "histogram":
                    names |= {f"{metric.name}_{part}" for part in ("bucket", "count", "sum")}
                case _:
                    names.add(metric.name)
    return names


@pytest.mark.parametrize("file", [DASHBOARD, ALERTS], ids=lambda file: file.name)
def test_every_metric_that_is_named_is_exported(file: Path) -> None:
    named = set(re.findall(r"livesegments_\w+", file.read_text()))
    assert named
    assert named - exported() == set()


def test_a_service_shows_no_metrics_of_the_others() -> None:
    rooms_of = {
        "ingest": metrics.INGEST, "evaluator": metrics.EVALUATOR, "api": metrics.API, "notify": metrics.NOTIFY,
        "console": metrics.CONSOLE,
    }  # fmt: skip
    for name, service in rooms_of.items():
        text = metrics.exposition(service).decode()
        rooms = set(re.findall(r"^livesegments_(\w+?)_", text, re.MULTILINE))
        assert rooms <= {name, "definitions", "memberships"}


def test_the_dashboard_is_one() -> None:
    dashboard = json.loads(DASHBOARD.read_text())
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids)) > 10
    assert all(target["expr"] for panel in dashboard["panels"] for target in panel["targets"])


def test_every_metric_is_on_the_dashboard() -> None:
    named = set(re.findall(r"livesegments_\w+", DASHBOARD.read_text()))
    families = {re.sub("_(bucket|count|sum)$", "", each) for each in exported()}
    assert families - {re.sub("_(bucket|count|sum)$", "", each) for each in named} == set()


def test_prometheus_takes_the_alerts() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed: apt-get install prometheus")
    ran = subprocess.run(
        [promtool, "check", "rules", str(ALERTS)], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
