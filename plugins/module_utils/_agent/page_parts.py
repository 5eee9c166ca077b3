# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The parts of the status page, each a piece of HTML out of the status document."""
from __future__ import annotations

from html import escape
from typing import Any, Iterable, Mapping, Optional, Sequence

from .._engine.display import amount, duration, lookup, percent
from .history import History, sparkline

Status = Mapping[str, Any]
MAX_ITEMS = 100
# A snapshot is made about every second; of what has not been looked at for so long nothing is promised.
STALE_SECONDS = 60.0


def text(value: object) -> str:
    """Escaped; a dash for what is not known."""
    return "–" if value is None else escape(str(value))


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[object]], numbers: Sequence[int] = ()) -> str:
    """A table that scrolls by itself on a narrow screen; ``numbers`` are the columns set to the right."""

    def kind(index: int) -> str:
        return ' class="number"' if index in numbers else ""

    cells = "".join(f'<th scope="col"{kind(index)}>{escape(name)}</th>' for index, name in enumerate(head))
    lines = "".join(
        "<tr>" + "".join(f"<td{kind(index)}>{text(cell)}</td>" for index, cell in enumerate(row)) + "</tr>"
        for row in rows
    )
    return (
        f'<div class="wide" role="region" aria-label="{escape(caption)}" tabindex="0">'
        f"<table><thead><tr>{cells}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def verdict(status: Status) -> tuple[str, str]:
    """The class and the content of the answer to: is it safe to cut over now, and if not, why."""
    state = status.get("state")
    step = lookup(status, "cutover.step")
    blockers = lookup(status, "cutover.blockers") or []
    reason = lookup(status, "reason.text") or ""
    if state == "completed":
        kind, answer, more = "good", "Completed: the target is open", "Applications may use the target."
    elif state == "failed":
        kind, answer, more = "bad", "Failed: somebody must look at it", reason
    elif state in ("aborting", "aborted"):
        kind, answer, more = "warn", str(state).capitalize(), f"Applications use the source. {reason}".strip()
    elif state == "stopping":
        kind, answer = "busy", f"The cutover is under way: {step or 'beginning'}"
        more = _under_way(status)
    elif state == "inactive":
        kind, answer, more = "warn", "No migration is running", "Start one with the playbook migrate."
    elif (lookup(status, "age_seconds") or 0) > STALE_SECONDS:
        kind, answer = "warn", "Not known: the agent has not looked for a while"
        more = f"What is shown here is {duration(status.get('age_seconds'))} old; the agent's log tells why."
    elif lookup(status, "cutover.ready"):
        kind, answer, more = "good", "Yes, it is safe to cut over now", ""
    else:
        many = "1 reason" if len(blockers) == 1 else f"{len(blockers)} reasons"
        kind = "busy" if _takes_but_time(status) else "bad"
        answer = "Not safe to cut over yet" + (f": {many}" if blockers else "")
        more = "; ".join(str(item.get("text")) for item in blockers[:2])
    lines = [f'<p class="answer">{text(answer)}</p>']
    if more:
        lines.append(f"<p>{text(more)}</p>")
    lines += [f"<p>{line}</p>" for line in _verdict_notes(status)]
    return kind, "".join(lines)


def _takes_but_time(status: Status) -> bool:
    """The first copy goes on by itself and nothing is wrong with it: nobody has to look."""
    copying = status.get("state") in ("initializing", "initial-sync")
    halted = lookup(status, "waiting.for") or lookup(status, "pause.state") not in (None, "none")
    wrong = any(item.get("severity") == "error" for item in status.get("problems") or [])
    return copying and not halted and not wrong


def _under_way(status: Status) -> str:
    """What a cutover means for applications at its present step; no more is promised than is certain."""
    states = {item.get("name"): item.get("state") for item in lookup(status, "cutover.steps") or []}
    if states.get("open") == "done":
        return "The target is open: applications may use it. There is no way back by itself any more."
    if states.get("open") in ("running", "failed"):
        return "The source does not take writes. The target is being opened, which may be past taking back."
    if states.get("fence", "pending") == "pending" and lookup(status, "source.mode") != "readonly":
        return "The source still takes writes, and everything can still be taken back."
    return "The source does not take writes. Until the opening everything can still be taken back."


def _verdict_notes(status: Status) -> list[str]:
    notes = []
    expected = lookup(status, "cutover.predicted_downtime_seconds")
    state = status.get("state")
    if state in ("running", "initial-sync") and isinstance(expected, Mapping):
        low, mid, high = (duration(expected.get(name)) for name in ("low", "mid", "high"))
        notes.append(f"Expected time without writes: {text(mid)} ({text(low)} to {text(high)}).")
    if state == "failed" and lookup(status, "reason.remedy"):
        notes.append(f"<strong>What to do:</strong> {text(lookup(status, 'reason.remedy'))}")
    late = lookup(status, "late_indexes.pending")
    if state == "completed" and late:
        notes.append(f"Indexes that are still being built on the target: {text(late)}.")
    pause = lookup(status, "pause.state")
    if pause not in (None, "none"):
        by, why = lookup(status, "pause.by"), lookup(status, "pause.reason")
        told = f" by the {text(by)}{_since(status, 'pause')}{f': {text(why)}' if why else ''}"
        notes.append(f"<strong>{text(str(pause).capitalize())}</strong>{told}")
    if lookup(status, "waiting.for"):
        notes.append(f"<strong>Waiting</strong> for {text(lookup(status, 'waiting.for'))}{_since(status, 'waiting')}")
    if lookup(status, "throttle.active"):
        notes.append(f"<strong>Slowed down</strong>: {text(lookup(status, 'throttle.reason'))}")
    return notes


def _since(status: Status, name: str) -> str:
    since = lookup(status, f"{name}.since")
    return f" since {text(since)}" if since else ""


def progress(status: Status) -> str:
    """The bar of the copy with its figures."""
    done = lookup(status, "progress.percent")
    if not isinstance(done, (int, float)):
        return ""
    copied, total = amount(lookup(status, "progress.bytes_copied")), lookup(status, "progress.bytes_total")
    parts = [f"{copied} of {amount(total)}" if total else copied]
    documents = lookup(status, "progress.documents_total")
    if documents:
        parts.append(f"{lookup(status, 'progress.documents_copied') or 0:,} of {documents:,} documents")
    left = lookup(status, "progress.eta_seconds")
    if left and status.get("state") == "initial-sync":
        low, high = (duration(lookup(status, f"progress.eta_{name}")) for name in ("low", "high"))
        parts.append(f"{duration(left)} left ({low} to {high})")
    return (
        f'<h2 id="copied-label">Copied: {text(percent(done))}</h2>'
        f'<progress aria-labelledby="copied-label" max="100" value="{float(done):.1f}"></progress>'
        f'<p class="soft">{text(", ".join(parts))}</p>'
    )


def tile(name: str, value: str, note: str = "", markup: str = "") -> str:
    """One figure; ``markup`` is put behind it as it is."""
    extra = f'<span class="note">{text(note)}</span>' if note else ""
    return f'<div class="tile"><dt>{text(name)}</dt><dd>{text(value)} {extra}{markup}</dd></div>'


def tile_list(found: Iterable[str]) -> str:
    """The figures beside each other."""
    return f'<dl class="tiles">{"".join(found)}</dl>'


def modes(status: Status) -> list[str]:
    """Whether applications can write, on either side."""
    return [
        tile(side.capitalize(), str(lookup(status, f"{side}.mode") or "unknown"),
             str(lookup(status, f"{side}.version") or ""))
        for side in ("source", "target")
    ]  # fmt: skip


def _copied_rate(status: Status) -> str:
    value = lookup(status, "progress.bytes_per_second")
    return "unknown" if value is None else f"{amount(value)}/s"


def _applied_rate(status: Status) -> str:
    value = lookup(status, "replication.operations_per_second")
    return "unknown" if value is None else f"{value:,.0f}/s"


def tiles(status: Status, history: Optional[History]) -> str:
    """The figures at a glance, the moving ones with their last minutes."""

    def curve(name: str, label: str) -> str:
        return sparkline(history.points(name), f"{label} in the last minutes") if history else ""

    shards = status.get("shards") or {}
    age = lookup(status, "verification.oldest_age_seconds")
    state = lookup(status, "verification.state")
    runway = lookup(status, "replication.retention_runway_seconds")
    queued = lookup(status, "replication.behind_bytes")
    behind = "" if queued is None else f"{amount(queued)} behind"
    found = [
        tile("Lag", duration(lookup(status, "replication.lag_seconds")), behind, curve("lag", "Lag")),
        tile("Copying", _copied_rate(status), "", curve("copy", "Bytes copied")),
        tile("Applying", _applied_rate(status), "operations", curve("apply", "Operations applied")),
        tile("Shards in sync", f"{shards.get('in_sync', 0):,} of {shards.get('total', 0):,}"),
        tile("Verified", f"{duration(age)} ago" if age is not None else "not yet", str(state or "")),
        *modes(status),
    ]
    if runway is not None:
        found.append(tile("Log kept for us", duration(runway), "until the source's disk is full"))
    return tile_list(found)


def _card(severity: str, code: object, where: object, what: object, remedy: object) -> str:
    kind = {"error": "bad", "warning": "warn"}.get(severity, "busy")
    place = f' <span class="soft">{text(where)}</span>' if where else ""
    return (
        f'<li><p><span class="tag {kind}">{text(severity)}</span> <code>{text(code)}</code>{place}</p>'
        f"<p>{text(what)}</p><p><strong>What to do:</strong> {text(remedy)}</p></li>"
    )


def blockers(status: Status) -> str:
    """Every reason against a cutover, with its remedy."""
    items = lookup(status, "cutover.blockers") or []
    if not items:
        return ""
    kind = "not yet" if _takes_but_time(status) else "error"
    cards = [_card(kind, item.get("code"), None, item.get("text"), item.get("remedy")) for item in items[:MAX_ITEMS]]
    return f'<h2>What blocks the cutover</h2><ul class="cards">{"".join(cards)}</ul>{_more(len(items))}'


def findings(items: Sequence[Mapping[str, Any]]) -> str:
    """What was found, with remedies."""
    if not items:
        return "<h2>Findings</h2><p>None.</p>"
    cards = [
        _card(str(item.get("severity")), item.get("code"), item.get("where"),
              item.get("message") or item.get("text"), item.get("remedy"))
        for item in items[:MAX_ITEMS]
    ]  # fmt: skip
    return f'<h2>Findings ({len(items)})</h2><ul class="cards">{"".join(cards)}</ul>{_more(len(items))}'


def _more(count: int) -> str:
    return f"<p>{count - MAX_ITEMS} more are in the API.</p>" if count > MAX_ITEMS else ""


def steps(status: Status) -> str:
    """The steps of the last or running cutover with their times, and how it ended."""
    items = lookup(status, "cutover.steps") or []
    attempt = lookup(status, "cutover.last_attempt")
    if not items and not isinstance(attempt, Mapping):
        return ""
    lines = []
    for item in items:
        state = str(item.get("state"))
        took = f", {duration(item['seconds'])}" if item.get("seconds") is not None else ""
        current = ' aria-current="step"' if state == "running" else ""
        lines.append(
            f'<li class="{escape(state)}"{current}>{text(item.get("name"))}<br>'
            f'<span class="soft">{text(state)}{text(took)}</span></li>'
        )
    ended = ""
    if isinstance(attempt, Mapping):
        fenced = attempt.get("fenced_seconds")
        closed = f"; the source took no writes for {duration(fenced)}" if fenced is not None else ""
        why = f": {attempt.get('reason')}" if attempt.get("reason") else ""
        ended = f"<p>Last cutover: <strong>{text(attempt.get('result'))}</strong>{text(why)}{text(closed)}.</p>"
    return f'<h2>Cutover</h2>{ended}<ol class="steps">{"".join(lines)}</ol>'


def servers(status: Status) -> str:
    """The logs of the source's DB-Servers."""

    def free(share: Optional[float]) -> Optional[str]:
        return None if share is None else percent(100.0 * share)

    rows = [
        (
            item.get("id"), duration(item.get("lag_seconds")), item.get("read_tick"), item.get("last_tick"),
            free(item.get("disk_free_share")), duration(item.get("retention_runway_seconds")), item.get("error"),
        )
        for item in lookup(status, "replication.servers") or []
    ]
    if not rows:
        return ""
    head = ("DB-Server", "Lag", "Read up to tick", "Last tick", "Disk free", "Can keep the log for", "Trouble")
    title = "Logs of the source" + (", as they were seen last" if status.get("state") == "failed" else "")
    return f"<h2>{title}</h2>" + table(title, head, rows, (1, 2, 3, 4, 5))


def shard_links(status: Status) -> str:
    """How many shards are in which state, each a link to their list."""
    counts = status.get("shards") or {}
    names = [name for name in counts if name != "total" and counts[name]]
    if not names:
        return ""
    links = [
        f'<li><a href="/shards?state={escape(name.replace("_", "-"))}">{text(counts[name])} '
        f"{text(name.replace('_', ' '))}</a></li>"
        for name in names
    ]
    links.append('<li><a href="/shards">all shards</a></li>')
    return f'<h2>Shards</h2><nav aria-label="Shards by state"><ul>{"".join(links)}</ul></nav>'


def workers(status: Status) -> str:
    """The agents that work on it."""
    rows = [
        (item.get("host"), item.get("id"), item.get("lease_until"), duration(item.get("last_seen_seconds")))
        for item in status.get("workers") or []
    ]
    shown = table("Agents", ("Host", "Id", "Lease until", "Renewed"), rows) if rows else ""
    joined = status.get("joined")
    if joined:
        shown += f"<p>This agent copies for the one on host {text(joined.get('lead_host'))}, which leads.</p>"
    return f"<h2>Agents</h2>{shown}" if shown else ""
