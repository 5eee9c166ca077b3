# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Metrics, alert rules and dashboard fit together: judged by promtool and by the metrics that exist."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.cutover.arangodb.plugins.module_utils._agent.metrics import render_metrics
from tests.browser.states import BLOCKED, STATES

ROOT = Path(__file__).resolve().parents[2]
ALERTS = ROOT / "docs/monitoring/alerts.yml"
DASHBOARD = ROOT / "docs/monitoring/dashboard.json"
RULES_TEST = ROOT / "tests/monitoring/alerts_test.yml"
WEBHOOK = {"delivered": 214, "failed": 3, "dropped": 0, "waiting": 1}


def page_of(status: dict[str, Any]) -> str:
    """The metrics of an agent that has everything that has any."""
    return render_metrics(status, "1.0.0", WEBHOOK, 1_900_000_000.0)


# Each metric that some state of a migration shows.
EXISTING = set(re.findall(r"^# TYPE (\S+)", page_of(BLOCKED), re.MULTILINE))


def promtool(*arguments: str, text: str | None = None) -> str:
    """Output of promtool, which must be content."""
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed: apt-get install prometheus")
    done = subprocess.run(["promtool", *arguments], input=text, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("name", STATES)
def test_promtool_finds_nothing_to_say(name: str) -> None:
    assert promtool("check", "metrics", text=page_of(STATES[name][0])) == ""


def test_every_alert_comes_when_it_should() -> None:
    promtool("check", "rules", str(ALERTS))
    promtool("test", "rules", str(RULES_TEST))


def expressions(dashboard: dict[str, Any]) -> list[str]:
    found = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    found += [item["expr"] for item in dashboard["annotations"]["list"]]
    return found + [item["query"] for item in dashboard["templating"]["list"]]


def test_alerts_and_dashboard_use_only_metrics_that_exist() -> None:
    rules = yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"][0]["rules"]
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    for text in [*(rule["expr"] for rule in rules), *expressions(dashboard)]:
        assert set(re.findall(r"cutover_\w+", text)) <= EXISTING, text
    tested = RULES_TEST.read_text(encoding="utf-8")
    assert [rule["alert"] for rule in rules if rule["alert"] not in tested] == []
    assert all(rule["annotations"]["summary"] and rule["annotations"]["description"] for rule in rules)


def test_every_metric_is_on_the_dashboard_or_alerted_on_or_named_here() -> None:
    """A metric that nobody looks at is forgotten when it breaks."""
    shown = set(re.findall(r"cutover_\w+", ALERTS.read_text() + DASHBOARD.read_text()))
    elsewhere = {
        "cutover_copied_documents", "cutover_copy_total_documents", "cutover_copy_eta_seconds", "cutover_paused",
        "cutover_predicted_downtime_high_seconds", "cutover_recopies_total", "cutover_restarts_total",
        "cutover_throttled", "cutover_verification_pending", "cutover_verification_repaired_total",
        "cutover_webhook_delivered_total", "cutover_webhook_dropped_total", "cutover_webhook_failed_total",
        "cutover_webhook_waiting",
    }  # fmt: skip
    assert EXISTING - shown == elsewhere


def test_dashboard_panels_do_not_overlap() -> None:
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken
        taken |= cells
