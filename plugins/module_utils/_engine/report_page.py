# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The report as one self-contained page: for people, for printing, for auditors. Nothing from outside, no scripts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, Optional

from .display import amount, duration, lookup

MAX_ROWS = 500
_STYLE = """
:root { color-scheme: light dark; --line: #8886; --bar: #3b6fb6; --good: #17803d; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --good: #6fd08c; --bad: #ff8a80; --bar: #8ab4f8; } }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem; }
h1 { font-size: 1.5rem; margin-bottom: .2rem; } h2 { font-size: 1.15rem; margin-top: 2rem; } h3 { font-size: 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .5rem; text-align: left; vertical-align: top;
  overflow-wrap: anywhere; }
tbody th { font-weight: 500; width: 14rem; } .number { text-align: right; white-space: nowrap; }
.verdict { font-size: 1.2rem; font-weight: 600; } .good { color: var(--good); } .bad { color: var(--bad); }
.bar { background: var(--bar); height: .8rem; min-width: 1px; display: block; margin-top: .35rem; }
td.time { width: 50%; } pre { overflow-x: auto; font-size: .85rem; }
@media print { body { max-width: none; } h2 { break-after: avoid; } }
"""
_VERDICTS = {
    "completed": ("good", "Completed: source and target were proved equal, and the target was opened."),
    "rolled-back": ("bad", "Rolled back: the target stayed closed, the source got its former mode back."),
    "refused": ("bad", "Refused before anything was done."),
    "rehearsed": ("good", "Rehearsed: every step was done but the opening."),
}


def _text(value: object) -> str:
    return escape("unknown" if value is None else str(value))


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _facts(rows: Iterable[tuple[str, object]]) -> str:
    lines = "".join(f'<tr><th scope="row">{_text(name)}</th><td>{_text(value)}</td></tr>' for name, value in rows)
    return f"<table><tbody>{lines}</tbody></table>"


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    if not rows:
        return "<p>None.</p>"
    cells = "".join(f'<th scope="col">{_text(name)}</th>' for name in head)
    lines = "".join("<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in row) + "</tr>" for row in rows[:MAX_ROWS])
    more = f"<p>{len(rows) - MAX_ROWS} more are in the JSON report.</p>" if len(rows) > MAX_ROWS else ""
    return f"<table><thead><tr>{cells}</tr></thead><tbody>{lines}</tbody></table>{more}"


def _list(items: Sequence[object]) -> str:
    return "<ul>" + "".join(f"<li>{_text(item)}</li>" for item in items) + "</ul>" if items else "<p>None.</p>"


def _json(value: object) -> str:
    return f"<pre>{_text(json.dumps(value, indent=2, ensure_ascii=False))}</pre>"


def _section(title: str, body: str) -> str:
    return f"<section><h2>{_text(title)}</h2>{body}</section>"


def _verdict(report: Mapping[str, Any]) -> str:
    if lookup(report, "revocation.result") == "revoked":
        kind, text = "bad", "Revoked: the target was closed again, unwritten, and the source was given back."
    else:
        kind, text = _VERDICTS.get(str(report.get("result")), ("bad", f"Ended with {report.get('result')}."))
    reason = f"<p>{_text(report['reason'])}</p>" if report.get("reason") else ""
    return f'<p class="verdict {kind}">{_text(text)}</p>{reason}'


def _summary(report: Mapping[str, Any]) -> str:
    fenced = report.get("fenced_seconds")
    return _facts(
        [
            ("Migration", report.get("name")),
            ("Asked for by", report.get("by") or "unknown"),
            ("Attempt", f"number {lookup(report, 'attempt.number')}, begun {lookup(report, 'attempt.at')}"),
            ("Report of", report.get("at")),
            ("Source closed for writes", "never" if fenced is None else duration(fenced)),
            ("Allowed", duration(report.get("max_downtime"))),
            ("Source", f"ArangoDB {lookup(report, 'source.version')}, cluster {lookup(report, 'source.cluster_id')}"),
            ("Target", f"ArangoDB {lookup(report, 'target.version')}"),
            ("Digest of the specification", report.get("config_digest")),
        ]
    )


def _steps(steps: Sequence[Mapping[str, Any]]) -> str:
    longest = max([float(step.get("seconds") or 0.0) for step in steps], default=0.0) or 1.0
    rows = ""
    for step in steps:
        seconds = step.get("seconds")
        width = 100 * float(seconds or 0.0) / longest
        rows += (
            f'<tr><th scope="row">{_text(step.get("name"))}</th><td>{_text(step.get("state"))}</td>'
            f'<td class="number">{"" if seconds is None else f"{seconds:.3f} s"}</td>'
            f'<td class="time"><span class="bar" style="width:{width:.1f}%"></span></td></tr>'
        )
    return f"<table><tbody>{rows}</tbody></table>" if rows else "<p>None was begun.</p>"


def _moved(report: Mapping[str, Any]) -> str:
    return _facts(
        [
            ("Databases", lookup(report, "moved.databases")),
            ("Collections", lookup(report, "moved.collections")),
            ("Documents copied", lookup(report, "moved.documents_copied")),
            ("Bytes copied", amount(lookup(report, "moved.bytes_copied"))),
            ("Later operations applied", lookup(report, "moved.operations_applied")),
            ("Compressed bodies", _compression(lookup(report, "moved.compression") or {})),
            ("Writers cancelled on the source", lookup(report, "source.writers_cancelled")),
        ]
    )


def _compression(figures: Mapping[str, Any]) -> str:
    if not figures.get("bytes_before"):
        return f"none (policy {figures.get('policy')})"
    return f"{amount(figures['bytes_before'])} sent as {amount(figures['bytes_sent'])}"


def _proof(proof: Optional[Mapping[str, Any]]) -> str:
    """Known parts as tables; what a later proof says besides is shown as it is."""
    if not proof:
        return "<p>Nothing was compared in this attempt.</p>"
    methods = [
        (_title(name), f"{count} collection{'' if count == 1 else 's'}")
        for name, count in sorted((proof.get("methods") or {}).items())
    ]
    rest = {name: value for name, value in proof.items() if name not in ("methods", "differences")}
    plain = [(_title(name), value) for name, value in rest.items() if not isinstance(value, (dict, list))]
    nested = "".join(
        f"<h3>{_text(_title(name))}</h3>{_json(value)}"
        for name, value in rest.items()
        if isinstance(value, (dict, list)) and value
    )
    return _facts([*methods, *plain]) + "<h3>Differences</h3>" + _list(proof.get("differences") or []) + nested


def _changes(changes: Mapping[str, Any]) -> str:
    rows = [
        (
            f"{item['database']}/{item['collection']}",
            item["created"],
            item["changed"],
            item["removed"],
            ", ".join(item["keys"]),
        )
        for item in changes.get("collections") or []
    ]
    return (
        f"<p>As of {_text(changes.get('at'))}; the source is {_text(changes.get('source_mode'))}.</p>"
        + _table(("Collection", "Created", "Changed", "Removed", "Such as"), rows)
        + "<h3>Definitions that are not the source's</h3>"
        + _list(changes.get("definitions") or [])
    )


def _rehearsal(rehearsal: Mapping[str, Any]) -> str:
    expected = rehearsal.get("predicted_downtime_seconds")
    band = f"{expected['low']} to {expected['high']} s, most likely {expected['mid']} s" if expected else None
    facts = _facts([("Result", rehearsal.get("result")), ("Expected downtime", band)])
    return facts + _steps(rehearsal.get("steps") or [])


def _revocation(revocation: Mapping[str, Any]) -> str:
    facts = _facts([(_title(name), revocation.get(name)) for name in ("result", "by", "at", "reason")])
    return facts + _list(revocation.get("differences") or []) + _steps(revocation.get("steps") or [])


def _figures(values: Mapping[str, Any]) -> str:
    return _facts(
        (_title(name), (", ".join(map(str, value)) or "none") if isinstance(value, list) else value)
        for name, value in values.items()
    )


def _keys(keys: Mapping[str, Any]) -> str:
    """Why new keys cannot meet migrated ones, by kind of generator; what could not be made certain comes last."""
    safe = keys.get("how") or {}
    rows: list[tuple[str, object]] = [(f"New keys, {shape}", how) for shape, how in safe.items()]
    rows.append(("Largest migrated key", keys.get("largest") or "none was made by a server"))
    if keys.get("open"):
        rows.append(("Not certain in", ", ".join(map(str, keys["open"]))))
        rows.append(("The target's next key", keys.get("next")))
        rows.append(("Accepted, because", keys.get("accepted") or "it is not accepted"))
    return _facts(rows)


_OPTIONAL = (
    ("left_out", "Left out by include and exclude", _figures),
    ("rehearsal", "Rehearsal", _rehearsal),
    ("keys", "Keys made by the server", _keys),
    ("warm_up", "Warm-up of the target", _figures),
    ("late_indexes", "Indexes built after the opening", _figures),
    ("changes_since_open", "Written on the target since its opening", _changes),
    ("revocation", "Revocation", _revocation),
)


def render(report: Mapping[str, Any]) -> str:
    """The whole page as HTML."""
    findings = [
        (item.get("severity"), item.get("code"), item.get("where"), item.get("key") or "", item.get("message"))
        for item in report.get("findings") or []
    ]
    positions = sorted((lookup(report, "source.positions") or {}).items())
    modes = sorted((lookup(report, "source.former_modes") or {}).items())
    sections = (
        _section("Summary", _summary(report)),
        _section("Steps", _steps(report.get("steps") or [])),
        _section("What was moved", _moved(report)),
        _section("What was verified, and how", _proof(report.get("proof"))),
        _section("What is not verified", _list(report.get("not_verified") or [])),
        _section("Accepted by the operator", _table(("What", "Why"), sorted((report.get("accepted") or {}).items()))),
        _section("Findings", _table(("Severity", "Code", "Where", "Key", "What"), findings)),
        *(_section(title, show(report[name])) for name, title, show in _OPTIONAL if report.get(name)),
        _section("Positions of the source's logs at the end", _table(("DB-Server", "Tick"), positions)),
        _section("Modes of the source's servers before", _table(("Server", "Mode"), modes)),
        _section("Specification", _json(report.get("specification"))),
    )
    name = _text(report.get("name"))
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Report of the migration {name}</title><style>{_STYLE}</style></head><body><main>"
        f"<h1>Report of the migration {name}</h1>{_verdict(report)}{''.join(sections)}</main></body></html>"
    )
