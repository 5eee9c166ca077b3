# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The status page: read-only, works without scripts, reloads itself, nothing from outside."""
from __future__ import annotations

from html import escape
from typing import Any, Mapping, Sequence

from .._engine.display import amount, duration, lookup, percent

REFRESH_SECONDS = 5
MAX_ROWS = 200
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
STYLE = """
:root { color-scheme: light dark; --line: #8886; --good: #17803d; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --good: #6fd08c; --bad: #ff8a80; } }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 1.5rem; }
table { border-collapse: collapse; width: 100%; } th, td { border-bottom: 1px solid var(--line); padding: .3rem .5rem;
  text-align: left; vertical-align: top; overflow-wrap: anywhere; }
progress { width: 100%; height: 1.2rem; }
.good { color: var(--good); } .bad { color: var(--bad); } .verdict { font-size: 1.2rem; font-weight: 600; }
"""


def _verdict(status: Mapping[str, Any]) -> str:
    state = status.get("state")
    if state == "completed":
        return '<p class="verdict good">Completed: the target is open.</p>'
    if lookup(status, "cutover.ready"):
        return '<p class="verdict good">Ready: the cutover may be made now.</p>'
    return '<p class="verdict bad">Not ready for the cutover.</p>'


def _blockers(status: Mapping[str, Any]) -> str:
    blockers = lookup(status, "cutover.blockers") or []
    if not blockers:
        return ""
    rows = [(item.get("code"), item.get("text"), item.get("remedy")) for item in blockers]
    return "<h2>What blocks the cutover</h2>" + _table(("Code", "What", "What to do"), rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    cells = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    lines = "".join(
        "<tr>" + "".join(f"<td>{escape('' if cell is None else str(cell))}</td>" for cell in row) + "</tr>"
        for row in rows[:MAX_ROWS]
    )
    more = f"<p>{len(rows) - MAX_ROWS} more are in the API.</p>" if len(rows) > MAX_ROWS else ""
    return f"<table><thead><tr>{cells}</tr></thead><tbody>{lines}</tbody></table>{more}"


def _facts(status: Mapping[str, Any]) -> str:
    shards = status.get("shards") or {}
    rows = [
        ("State", f"{status.get('state')} since {status.get('since') or 'unknown'}"),
        ("Pause", lookup(status, "pause.state")),
        ("Waiting for", lookup(status, "waiting.for") or "nothing"),
        ("Copied", amount(lookup(status, "progress.bytes_copied"))),
        ("To copy in all", amount(lookup(status, "progress.bytes_total"))),
        ("Time left for the copy", duration(lookup(status, "progress.eta_seconds"))),
        ("Replication lag", duration(lookup(status, "replication.lag_seconds"))),
        ("Shards in sync", f"{shards.get('in_sync', 'unknown')} of {shards.get('total', 'unknown')}"),
        ("Source mode", lookup(status, "source.mode")),
        ("Target mode", lookup(status, "target.mode")),
        ("Age of these figures", duration(status.get("age_seconds"))),
    ]
    lines = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{escape("unknown" if value is None else str(value))}</td></tr>'
        for name, value in rows
    )
    return f"<table><tbody>{lines}</tbody></table>"


def _steps(status: Mapping[str, Any]) -> str:
    steps = lookup(status, "cutover.steps") or []
    if not steps:
        return ""
    rows = [(step.get("name"), step.get("state"), duration(step.get("seconds"))) for step in steps]
    return "<h2>Steps of the cutover</h2>" + _table(("Step", "State", "Time"), rows)


def _findings(findings: Sequence[Mapping[str, Any]]) -> str:
    if not findings:
        return "<h2>Findings</h2><p>None.</p>"
    rows = [(item.get("severity"), item.get("code"), item.get("message"), item.get("remedy")) for item in findings]
    return "<h2>Findings</h2>" + _table(("Severity", "Code", "What", "What to do"), rows)


def render_page(status: Mapping[str, Any], findings: Sequence[Mapping[str, Any]]) -> str:
    """The whole page as HTML."""
    done = lookup(status, "progress.percent")
    gauge = (
        f'<label for="copied">Copied: {escape(percent(done))}</label>'
        f'<progress id="copied" max="100" value="{float(done):.1f}"></progress>'
        if isinstance(done, (int, float))
        else ""
    )
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="refresh" content="{REFRESH_SECONDS}">'
        f"<title>Migration: {escape(str(status.get('state')))}</title>"
        '<link rel="stylesheet" href="/style.css"></head><body><main>'
        f"<h1>Migration {escape(str(lookup(status, 'migration.name') or ''))}</h1>"
        f"{_verdict(status)}{gauge}{_facts(status)}{_blockers(status)}{_steps(status)}{_findings(findings)}"
        "</main></body></html>"
    )
