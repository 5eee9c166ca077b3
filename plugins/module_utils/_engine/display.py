# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Figures for people: bytes, durations, one line and one table of a status document."""
from __future__ import annotations

from typing import Any, Mapping

UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def lookup(document: Mapping[str, Any], path: str) -> Any:
    """The value at a dotted path, None when any part is absent."""
    value: Any = document
    for name in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


def amount(value: Any) -> str:
    """Bytes with a binary unit; `unknown` for None."""
    if not isinstance(value, (int, float)):
        return "unknown"
    size, unit = float(value), UNITS[0]
    for unit in UNITS:
        if abs(size) < 1024 or unit == UNITS[-1]:
            break
        size /= 1024
    return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"


def duration(value: Any) -> str:
    """Seconds as `0.4 s`, `3 min 20 s` or `5 h 10 min`; `unknown` for None."""
    if not isinstance(value, (int, float)):
        return "unknown"
    if value < 60:
        return f"{value:.1f} s"
    minutes, seconds = divmod(int(value), 60)
    if minutes < 60:
        return f"{minutes} min {seconds} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


def percent(value: Any) -> str:
    """A percentage with one decimal."""
    return f"{value:.1f} %" if isinstance(value, (int, float)) else "unknown"


def status_line(status: Mapping[str, Any]) -> str:
    """One line: state, copy, shards, lag, what blocks."""
    shards = status.get("shards") or {}
    parts = [
        str(status.get("state")),
        f"copied {percent(lookup(status, 'progress.percent'))} ({amount(lookup(status, 'progress.bytes_copied'))})",
        f"in sync {shards.get('in_sync', '?')}/{shards.get('total', '?')} shards",
        f"lag {duration(lookup(status, 'replication.lag_seconds'))}",
    ]
    if lookup(status, "pause.state") not in (None, "none"):
        parts.append(f"{lookup(status, 'pause.state')}: {lookup(status, 'pause.reason') or 'no reason given'}")
    if lookup(status, "waiting.for"):
        parts.append(f"waiting for {lookup(status, 'waiting.for')}")
    step = lookup(status, "cutover.step")
    if step:
        parts.append(f"cutover step {step}")
    elif lookup(status, "cutover.ready"):
        parts.append("ready for the cutover")
    problems = status.get("problems") or []
    if problems:
        parts.append(f"{len(problems)} problem{'s' if len(problems) > 1 else ''}")
    return " | ".join(parts)


def status_table(status: Mapping[str, Any]) -> str:
    """Several lines: figures, then every blocker with its remedy."""
    rows = [
        ("migration", lookup(status, "migration.name")),
        ("state", status.get("state")),
        ("since", status.get("since")),
        ("copied", percent(lookup(status, "progress.percent"))),
        ("bytes", amount(lookup(status, "progress.bytes_copied"))),
        ("documents", lookup(status, "progress.documents_copied")),
        ("time left", duration(lookup(status, "progress.eta_seconds"))),
        ("lag", duration(lookup(status, "replication.lag_seconds"))),
        ("shards in sync", f"{lookup(status, 'shards.in_sync')} of {lookup(status, 'shards.total')}"),
        ("source mode", lookup(status, "source.mode")),
        ("target mode", lookup(status, "target.mode")),
        ("ready to cut over", "yes" if lookup(status, "cutover.ready") else "no"),
    ]
    lines = [f"{name:<18} {'unknown' if value is None else value}" for name, value in rows]
    for blocker in lookup(status, "cutover.blockers") or []:
        lines.append(f"blocked            {blocker.get('text')} ({blocker.get('code')})")
        lines.append(f"  remedy           {blocker.get('remedy')}")
    return "\n".join(lines)
