# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The status page: read-only, complete without scripts, live with them, nothing from outside."""
from __future__ import annotations

import urllib.parse
from html import escape
from typing import Any, Mapping, Optional, Sequence

from .._engine.display import duration, lookup
from .._engine.states import FAILED
from . import page_ending as ending
from . import page_parts as parts
from .history import History

REFRESH_SECONDS = 5
ROWS = 200
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
# The report is one file with its style inside.
REPORT_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}


def _document(title: str, header: str, body: str, footer: str) -> str:
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<noscript><meta http-equiv="refresh" content="{REFRESH_SECONDS}"></noscript>'
        f"<title>{escape(title)}</title>"
        '<link rel="stylesheet" href="/style.css"><script src="/page.js" defer></script></head><body>'
        f'<header>{header}<span id="live" class="live soft" role="status"></span></header>'
        f'<main>{body}</main><footer data-part="footer">{footer}</footer></body></html>'
    )


def _part(name: str, content: str, kind: str = "") -> str:
    """A piece that the script replaces when it has changed."""
    classes = f' class="{kind}"' if kind else ""
    return f'<section data-part="{name}"{classes}>{content}</section>'


def _title(status: Mapping[str, Any]) -> str:
    name = lookup(status, "migration.name")
    return f"{status.get('state')} – migration {name}" if name else f"{status.get('state')} – migration"


def render_page(
    status: Mapping[str, Any],
    findings: Sequence[Mapping[str, Any]],
    history: Optional[History] = None,
    report: Optional[Mapping[str, Any]] = None,
) -> str:
    """The whole page as HTML."""
    kind, answer = parts.verdict(status)
    since = status.get("since")
    header = (
        f"<h1>Migration {parts.text(lookup(status, 'migration.name') or '')}</h1>"
        f'<span data-part="state">{parts.text(status.get("state"))}'
        f"{f' since {parts.text(since)}' if since else ''}</span>"
    )
    ended = ending.has_ended(status)
    # What is said of bytes, shards and logs was seen last while something moved; of a failure it may tell the cause.
    work = {} if ended and status["state"] != FAILED else status
    report_link = "" if ended or report is None else f"<p>{ending.REPORT_LINK}</p>"
    body = (
        _part("verdict", answer, f"verdict {kind}")
        + _part("progress", parts.progress(work))
        + _part("figures", ending.tiles(status, findings, report) if ended else parts.tiles(status, history))
        + _part("blockers", parts.blockers(status))
        + _part("cutover", parts.steps(status) + report_link)
        + _part("findings", parts.findings(findings))
        + _part("shards", parts.shard_links(work))
        + _part("servers", parts.servers(work))
        + _part("workers", parts.workers(work))
    )
    footer = (
        "Read-only: the migration is steered by playbooks and the command line. "
        f"State of {parts.text(status.get('at'))}, {parts.text(duration(status.get('age_seconds')))} old."
    )
    return _document(_title(status), header, body, footer)


def render_shards(found: Mapping[str, Any], query: Mapping[str, str], offset: int) -> str:
    """One page of the list of shards: at most ``ROWS``, whatever their number."""
    total, items = int(found["total"]), found["shards"][:ROWS]
    rows = [
        (item.get("database"), item.get("collection"), item.get("shard"), item.get("state"), item.get("leader"))
        for item in items
    ]
    wanted = {name: value for name, value in query.items() if name != "offset"}
    links = []
    for label, there in (("previous", offset - ROWS), ("next", offset + ROWS)):
        if 0 <= there < total:
            target = urllib.parse.urlencode({**wanted, "offset": str(there)})
            links.append(f'<li><a href="/shards?{escape(target)}">{label}</a></li>')
    shown = f"{offset + 1} to {offset + len(items)} of {total}" if items else f"0 of {total}"
    chosen = ", ".join(f"{name} {value}" for name, value in sorted(wanted.items()))
    header = '<h1>Shards</h1><a href="/">back to the status</a>'
    body = _part("list", (
        f"<p>{parts.text(shown)}{f' ({parts.text(chosen)})' if chosen else ''}</p>"
        + parts.table("Shards", ("Database", "Collection", "Shard", "State", "Leader"), rows)
        + f'<nav aria-label="Pages"><ul>{"".join(links)}</ul></nav>'
    ))  # fmt: skip
    return _document("Shards of the migration", header, body, "")
