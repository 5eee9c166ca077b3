# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Prometheus text out of the status document; what is not known is left out, never shown as zero."""
from __future__ import annotations

from typing import Any, Mapping, Optional

from .._engine.display import lookup
from .._engine.states import STATES

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# name, type, help, path in the status document
METRICS = (
    ("cutover_status_age_seconds", "gauge", "Age of the snapshot that these metrics are made of.", "age_seconds"),
    ("cutover_copied_bytes", "gauge", "Bytes copied by the snapshots so far.", "progress.bytes_copied"),
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
    (
        "cutover_predicted_downtime_high_seconds",
        "gauge",
        "Expected write downtime at worst.",
        "cutover.predicted_downtime_seconds.high",
    ),
    ("cutover_copy_bytes_per_second", "gauge", "Rate of the snapshots.", "progress.bytes_per_second"),
    ("cutover_copy_eta_seconds", "gauge", "Expected rest of the copy.", "progress.eta_seconds"),
    (
        "cutover_verification_age_seconds",
        "gauge",
        "Age of the oldest verification of a shard.",
        "verification.oldest_age_seconds",
    ),
    ("cutover_verification_pending", "gauge", "Differences that are read again.", "verification.pending"),
    (
        "cutover_verification_confirmed_total",
        "counter",
        "Differences that stayed.",
        "verification.confirmed",
    ),
    ("cutover_verification_repaired_total", "counter", "Differences that were repaired.", "verification.repaired"),
    ("cutover_attempts_total", "counter", "Cutovers tried.", "cutover.attempts"),
    ("cutover_errors_total", "counter", "Errors met.", "totals.errors"),
    ("cutover_retries_total", "counter", "Requests repeated.", "totals.retries"),
    ("cutover_recopies_total", "counter", "Shards copied again.", "totals.recopies"),
    ("cutover_restarts_total", "counter", "Restarts of the agent within this migration.", "totals.restarts"),
)
WEBHOOK_METRICS = (
    ("cutover_webhook_delivered_total", "counter", "Events that the webhook has taken.", "delivered"),
    ("cutover_webhook_failed_total", "counter", "Tries that the webhook did not take.", "failed"),
    ("cutover_webhook_dropped_total", "counter", "Events dropped because too many waited.", "dropped"),
    ("cutover_webhook_waiting", "gauge", "Events that wait for their delivery.", "waiting"),
)
CERTIFICATE_METRIC = "cutover_agent_certificate_expires_timestamp_seconds"
ATTEMPT_RESULTS = ("completed", "rolled-back", "refused")
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


def _servers(status: Mapping[str, Any]) -> list[str]:
    lags = [(item.get("id"), item.get("lag_seconds")) for item in lookup(status, "replication.servers") or []]
    samples = [
        f'cutover_server_lag_seconds{{server="{_escape(name)}"}} {lag}' for name, lag in lags if _is_number(lag)
    ]
    return _head("cutover_server_lag_seconds", "gauge", "Lag by DB-Server of the source.") + samples if samples else []


def _flags(status: Mapping[str, Any]) -> list[str]:
    """What is true or not; the last cutover tells by its result."""
    waiting, throttled = lookup(status, "waiting.for"), lookup(status, "throttle.active")
    fenced = status.get("state") == "stopping" or lookup(status, "source.mode") == "readonly"
    lines = []
    for name, text, value in (
        ("cutover_ready", "1 when nothing blocks the cutover.", lookup(status, "cutover.ready")),
        ("cutover_paused", "1 while paused.", lookup(status, "pause.state") == "paused"),
        ("cutover_waiting", "1 while something outside is waited for.", waiting is not None),
        ("cutover_throttled", "1 while slowed down on purpose.", throttled),
        ("cutover_source_readonly", "1 while the source takes no writes.", fenced),
    ):
        lines += [*_head(name, "gauge", text), f"{name} {int(bool(value))}"]
    blockers = lookup(status, "cutover.blockers") or []
    lines += _head("cutover_blockers", "gauge", "Reasons against a cutover now.")
    lines.append(f"cutover_blockers {len(blockers)}")
    result = lookup(status, "cutover.last_attempt.result")
    lines += _head("cutover_last_attempt", "gauge", "1 for the result of the last cutover, 0 for the others.")
    for name in ATTEMPT_RESULTS:
        lines.append(f'cutover_last_attempt{{result="{name}"}} {int(result == name)}')
    return lines


def _webhook(figures: Mapping[str, int]) -> list[str]:
    lines = []
    for name, kind, text, key in WEBHOOK_METRICS:
        lines += [*_head(name, kind, text), f"{name} {figures[key]}"]
    return lines


def render_metrics(
    status: Mapping[str, Any],
    version: str,
    webhook: Optional[Mapping[str, int]] = None,
    certificate_until: Optional[float] = None,
) -> str:
    """The whole page of samples; ``webhook`` are the figures of the webhook if there is one."""
    lines = _head("cutover_agent_info", "gauge", "The agent's version.")
    lines.append(f'cutover_agent_info{{version="{_escape(version)}"}} 1')
    if certificate_until is not None:
        lines += _head(CERTIFICATE_METRIC, "gauge", "When the certificate that the agent shows to its clients expires.")
        lines.append(f"{CERTIFICATE_METRIC} {certificate_until:.0f}")
    lines += _head("cutover_state", "gauge", "1 for the migration's state, 0 for all others.")
    lines += [f'cutover_state{{state="{state}"}} {int(status.get("state") == state)}' for state in sorted(STATES)]
    lines += _flags(status)
    for name, kind, text, path in METRICS:
        value = lookup(status, path)
        if _is_number(value):
            lines += [*_head(name, kind, text), f"{name} {value}"]
    lines += [] if webhook is None else _webhook(webhook)
    return "\n".join(lines + _shards(status) + _servers(status) + _problems(status)) + "\n"
