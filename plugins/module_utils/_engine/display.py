# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Figures for people: bytes, durations, status documents and prechecks as lines."""
from __future__ import annotations

from typing import Any, Mapping, Optional, Sequence

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


def _copied(status: Mapping[str, Any]) -> str:
    """How much is copied; while the copy moves, how fast and for how long still."""
    done = lookup(status, "progress.percent")
    parts = [amount(lookup(status, "progress.bytes_copied"))]
    rate, left = lookup(status, "progress.bytes_per_second"), lookup(status, "progress.eta_seconds")
    if done != 100.0 and rate:
        parts += [f"{amount(rate)}/s", *([] if left is None else [f"{duration(left)} left"])]
    return f"copied {percent(done)} ({', '.join(parts)})"


def status_line(status: Mapping[str, Any]) -> str:
    """One line: state, copy, shards, lag, what blocks."""
    shards = status.get("shards") or {}
    parts = [
        str(status.get("state")),
        _copied(status),
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


def _row(name: str, value: object) -> str:
    return f"{name:<16} {'unknown' if value is None else value}"


def _last_attempt(status: Mapping[str, Any]) -> list[str]:
    attempt = lookup(status, "cutover.last_attempt")
    if not isinstance(attempt, Mapping):
        return []
    seconds = attempt.get("fenced_seconds")
    fenced = "source stayed open" if seconds is None else f"source closed for writes for {duration(seconds)}"
    reason = f": {attempt['reason']}" if attempt.get("reason") else ""
    lines = [_row("last cutover", f"{attempt.get('result')}, {fenced}{reason}")]
    for step in lookup(status, "cutover.steps") or []:
        shown = step.get("state") if step.get("seconds") is None else duration(step["seconds"])
        lines.append(_row(f"  {step.get('name')}", shown))
    return lines


def _verified(status: Mapping[str, Any]) -> list[str]:
    found = status.get("verification")
    if not found:
        return []
    age = found["oldest_age_seconds"]
    parts = [
        str(found["state"]),
        f"round {found['round']}",
        "not complete yet" if age is None else f"up to {duration(age)} ago",
        f"{found['pending']} to be read back",
        f"{found['confirmed']} differ",
        f"{found['repaired']} repaired",
    ]
    return [_row("verified", ", ".join(parts))]


def _late_indexes(status: Mapping[str, Any]) -> list[str]:
    counts = {name: lookup(status, f"late_indexes.{name}") or 0 for name in ("built", "pending", "failed")}
    if not any(counts.values()):
        return []
    return [_row("late indexes", ", ".join(f"{count} {name}" for name, count in counts.items()))]


def _why(status: Mapping[str, Any]) -> list[str]:
    """What has ended, stopped or slowed a migration down."""
    lines = []
    if status.get("reason"):
        lines.append(_row("reason", f"{lookup(status, 'reason.text')} ({lookup(status, 'reason.code')})"))
        lines.append(_row("  remedy", lookup(status, "reason.remedy")))
    if lookup(status, "pause.state") not in (None, "none"):
        pause = status["pause"]
        why = f": {pause['reason']}" if pause.get("reason") else ""
        lines.append(_row("pause", f"{pause['state']} by the {pause.get('by')} since {pause.get('since')}{why}"))
    if lookup(status, "throttle.active"):
        found = status["throttle"]
        figures = f"{found.get('metric')} {found.get('value')}, limit {found.get('threshold')}"
        lines.append(_row("slowed down", f"{found.get('reason')} ({figures})"))
    if lookup(status, "waiting.for"):
        lines.append(_row("waiting for", lookup(status, "waiting.for")))
    return lines


def status_lines(status: Mapping[str, Any]) -> list[str]:
    """Figures, then every blocker and problem with its remedy, a line each."""
    lines = [_row("state", status.get("state"))]
    if status.get("since"):
        lines.append(_row("since", status["since"]))
    lines += _why(status)
    if status.get("joined"):
        lines.append(_row("copies for", f"the agent on host {lookup(status, 'joined.lead_host')}, which leads"))
    if lookup(status, "shards.total"):
        copied = f"{percent(lookup(status, 'progress.percent'))}, {amount(lookup(status, 'progress.bytes_copied'))}"
        lines.append(_row("copied", f"{copied}, {lookup(status, 'progress.documents_copied')} documents"))
        lines.append(_row("shards in sync", f"{lookup(status, 'shards.in_sync')} of {lookup(status, 'shards.total')}"))
    if status.get("state") == "running":
        lines.append(_row("lag", duration(lookup(status, "replication.lag_seconds"))))
        lines += _verified(status)
        lines.append(_row("ready to cut", "yes" if lookup(status, "cutover.ready") else "no"))
    for side in ("source", "target"):
        if lookup(status, f"{side}.mode"):
            lines.append(_row(side, lookup(status, f"{side}.mode")))
    lines += _last_attempt(status) + _late_indexes(status)
    for name, items in (("blocked", lookup(status, "cutover.blockers")), ("problem", status.get("problems"))):
        for item in items or []:
            lines.append(_row(name, f"{item.get('text')} ({item.get('code')})"))
            lines.append(_row("  remedy", item.get("remedy")))
    return lines


def expectation_lines(status: Mapping[str, Any]) -> list[str]:
    """The downtime to expect of a cutover."""
    band = lookup(status, "cutover.predicted_downtime_seconds")
    if not isinstance(band, Mapping):
        return []
    return [_row("to be expected", f"{band['mid']} s without writes ({band['low']} to {band['high']} s)")]


def change_lines(changes: Mapping[str, Any]) -> list[str]:
    """What was written on the target since its opening, a line for each collection."""
    totals = changes["totals"]
    lines = [
        _row("opened", changes.get("opened_at")),
        _row("source is", changes.get("source_mode")),
        _row("since then", ", ".join(f"{totals[name]} {name}" for name in ("created", "changed", "removed"))),
    ]
    for item in changes["collections"]:
        keys = f" (such as {', '.join(item['keys'][:3])})" if item["keys"] else ""
        figures = ", ".join(f"{item[name]} {name}" for name in ("created", "changed", "removed"))
        lines.append(f"  {item['database']}/{item['collection']}: {figures}{keys}")
    lines += [f"  {text}" for text in changes["definitions"]]
    return lines


def verification_lines(found: Mapping[str, Any]) -> list[str]:
    """What a verification has compared and found; whatever differs is named."""
    lines = [
        _row("compared", f"{len(found['collections'])} collections, {found['mode']}"),
        _row("result", "equal" if found["equal"] else "not equal"),
        _row("differences", f"{found['differences_total']} left, {found['repaired']} repaired"),
    ]
    lines += [f"  {name}: not in sync, not compared" for name in found["not_in_sync"]]
    for item in found["collections"]:
        if not item["equal"]:
            lines.append(f"  {item['database']}/{item['collection']}: differs")
    for item in found["differences"]:
        lines.append(f"  {item['database']}/{item['collection']} {item['key']}: {item['kind']}")
    for aspect in found["aspects"]:
        word = "not verified" if not aspect["verified"] else "equal" if aspect["equal"] else "differs"
        lines.append(_row(aspect["what"], word + (f": {aspect['why']}" if aspect["why"] else "")))
        lines += [f"  {text}" for text in aspect["differences"]]
    return lines


_BY_WEIGHT = ("failed", "unknown", "warning", "accepted", "skipped", "passed")


def worst_first(checks: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Prechecks by status, what stands in the way on top."""
    return sorted(checks, key=lambda check: _BY_WEIGHT.index(check["status"]))


def check_lines(checks: Sequence[Mapping[str, Any]]) -> list[str]:
    """Every precheck with its status, the worst first; those that need attention with their remedies."""
    lines = []
    for check in worst_first(checks):
        quiet = check["status"] in ("passed", "skipped")
        word = check["status"] if quiet else check["status"].upper()
        lines.append(f"{word:<9} {check['id']}: {check['message']}")
        if not quiet:
            lines.append(f"{'  remedy':<9} {check['remedy']}")
    return lines


def capability_lines(capabilities: Sequence[Mapping[str, Any]]) -> list[str]:
    """What source and target were found able to do, and the mode that follows."""
    return [f"{item['status']:<10} {item['id']}: {item['mode']} ({item['found']})" for item in capabilities]


def forecast_rows(forecast: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is to be expected, as names and values for people."""

    def size(path: str) -> str:
        return amount(lookup(forecast, path))

    def count(path: str) -> str:
        value = lookup(forecast, path)
        return "unknown" if value is None else f"{value:,}"

    stored = f"{size('size.stored_bytes')} with replicas and indexes"
    need, servers = size("target.need_bytes_per_server"), count("target.dbservers")
    seconds, rate = duration(lookup(forecast, "copy.seconds")), size("copy.bytes_per_second")
    low, mid, high = (count(f"downtime.{name}") for name in ("low", "mid", "high"))
    rows = [
        ("data", f"{stored}, {count('size.documents')} documents in {count('size.collections')} collections"),
        ("target", f"{need} needed on each of {servers} DB-Servers, {size('target.least_free_bytes')} free at least"),
        ("copy", f"{seconds} for {size('size.copied_bytes')} at {rate} a second"),
        ("writes", f"{count('log.writes_per_second')} a second"),
        ("logs", f"grow by {size('log.growth_bytes_per_second')} a second"),
        ("spools", f"{size('log.spool_bytes')} at most during the copy"),
        ("write downtime", f"{mid} s ({low} to {high} s)"),
    ]
    if lookup(forecast, "target.deployment"):
        rows.append(("deployment", f"{size('target.deployment.disk_bytes_per_server')} ordered for each DB-Server"))
    rows += _writer_rows(forecast.get("writers") or {})
    return [*rows, *(("note", str(text)) for text in forecast.get("notes") or [])]


def _writer_rows(writers: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = []
    for item in [*(writers.get("collections") or []), *(writers.get("users") or [])]:
        where = "/".join(str(part) for part in (item["database"], item["collection"]) if part)
        who = f"user {item['user']} in {where}" if "user" in item else where
        rate = f"{item['queries']} queries" if "queries" in item else f"{item['writes_per_second']} writes a second"
        rows.append(("writes most", f"{who}: {rate}"))
    if writers.get("advice"):
        known = "not all users are known" if writers.get("users") else "no user is known"
        rows.append(("who writes", f"{known}: {writers['advice']}"))
    return rows


def forecast_lines(forecast: Optional[Mapping[str, Any]]) -> list[str]:
    """The same a line each; none without a forecast."""
    return [f"{name:<15} {value}" for name, value in forecast_rows(forecast)] if forecast else []


def precheck_lines(result: Mapping[str, Any]) -> list[str]:
    """Everything that a precheck found: checks, capabilities, forecast."""
    return [
        *check_lines(result["checks"]), *capability_lines(result["capabilities"]), *forecast_lines(result["forecast"]),
    ]  # fmt: skip
