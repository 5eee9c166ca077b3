# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Prometheus text out of the status document; what is not known is left out, never shown as zero."""
from __future__ import annotations

from typing import Any, Mapping

from .._engine.display import lookup
from .._engine.states import STATES

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# name, type, help, path in the status document
METRICS = (
    ("cutover_status_age_seconds", "gauge", "Age of the snapshot that these metrics are made of.", "age_seconds"),
    ("cutover_copied_bytes", "gauge", "Bytes copied by the snapshots.", "progress.bytes_copied"),
    ("cutover_copy_total_bytes", "gauge", "Bytes to copy, estimated.", "progress.bytes_total"),
    ("cutover_copied_documents", "gauge", "Documents copied by the snapshots.", "progress.documents_copied"),
    ("cutover_copy_total_documents", "gauge", "Documents to copy, estimated.", "progress.documents_total"),
    ("cutover_replication_lag_seconds", "gauge", "Age of the oldest write not yet applied.", "replication.lag_seconds"),
    ("cutover_applied_operations_total", "counter", "Operations of the log applied.", "replication.applied_total"),
    ("cutover_behind_bytes", "gauge", "Bytes of the log not yet applied.", "replication.behind_bytes"),
    (
        "cutover_retention_runway_seconds",
        "gauge",
        "How long the source can keep the log that is still needed.",
        "replication.retention_runway_seconds",
    ),
    (
        "cutover_predicted_downtime_seconds",
        "gauge",
        "Expected write downtime.",
        "cutover.predicted_downtime_seconds.mid",
    ),
    ("cutover_attempts_total", "counter", "Cutovers tried.", "cutover.attempts"),
    ("cutover_errors_total", "counter", "Errors met.", "totals.errors"),
    ("cutover_retries_total", "counter", "Requests repeated.", "totals.retries"),
    ("cutover_recopies_total", "counter", "Shards copied again.", "totals.recopies"),
    ("cutover_restarts_total", "counter", "Restarts of the agent within this migration.", "totals.restarts"),
)
SHARD_STATES = ("pending", "copying", "catching_up", "in_sync", "held", "suspect")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _escape(value: object) -> str:
    return str(value).replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _head(name: str, kind: str, text: str) -> list[str]:
    return [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]


def _shards(status: Mapping[str, Any]) -> list[str]:
    known = [(state, lookup(status, f"shards.{state}")) for state in SHARD_STATES]
    samples = [f'cutover_shards{{state="{state}"}} {count}' for state, count in known if _is_number(count)]
    return _head("cutover_shards", "gauge", "Shards by state.") + samples if samples else []


def _problems(status: Mapping[str, Any]) -> list[str]:
    counts = dict.fromkeys(("error", "warning", "info"), 0)
    for problem in status.get("problems") or []:
        severity = problem.get("severity", "error")
        counts[severity] = counts.get(severity, 0) + 1
    samples = [f'cutover_problems{{severity="{_escape(name)}"}} {count}' for name, count in counts.items()]
    return _head("cutover_problems", "gauge", "Open problems by severity.") + samples


def render_metrics(status: Mapping[str, Any], version: str) -> str:
    """The whole page of samples."""
    lines = _head("cutover_agent_info", "gauge", "The agent's version.")
    lines.append(f'cutover_agent_info{{version="{_escape(version)}"}} 1')
    lines += _head("cutover_state", "gauge", "1 for the migration's state, 0 for all others.")
    lines += [f'cutover_state{{state="{state}"}} {int(status.get("state") == state)}' for state in sorted(STATES)]
    lines += _head("cutover_ready", "gauge", "1 when nothing blocks the cutover.")
    lines.append(f"cutover_ready {int(bool(lookup(status, 'cutover.ready')))}")
    lines += _head("cutover_paused", "gauge", "1 while paused.")
    lines.append(f"cutover_paused {int(lookup(status, 'pause.state') == 'paused')}")
    for name, kind, text, path in METRICS:
        value = lookup(status, path)
        if _is_number(value):
            lines += [*_head(name, kind, text), f"{name} {value}"]
    return "\n".join(lines + _shards(status) + _problems(status)) + "\n"
