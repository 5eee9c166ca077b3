# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Findings that the operator accepts by name: exactly those, with a reason, and for ever (invariant I9).

Only findings about a single document can be accepted. The journal holds digests of their ids, since keys stay on the
agent's host; the report shows them in full.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .._core.errors import CutoverError
from .journal import Record, Store

if TYPE_CHECKING:
    from .findings import Findings

KEY = "accepted-findings"
FORMAT = 1
FIELD = "accept_findings"


def digest(finding_id: str) -> str:
    """How the journal names a finding."""
    return hashlib.sha256(finding_id.encode("utf-8")).hexdigest()[:32]


def check(findings: Findings, reasons: Mapping[str, str]) -> None:
    """Raise CUT-SPEC-1 for an id that names no finding, or one that cannot be accepted."""
    known = {item["id"]: item for item in findings.all()}
    for name in reasons:
        item = known.get(name)
        if item is None:
            listed = ", ".join(sorted(name for name, one in known.items() if one["severity"] == "error")[:20])
            text = f"{FIELD}: there is no finding {name}; those that block are: {listed or 'none'}"
            raise CutoverError("CUT-SPEC-1", text, details={"field": FIELD})
        if item.get("key") is None or item["severity"] != "error":
            text = f"{FIELD}: {name} cannot be accepted: only findings that block and name one document can be"
            raise CutoverError("CUT-SPEC-1", text, details={"field": FIELD})


def load(store: Store) -> dict[str, dict[str, Any]]:
    """What was accepted, by digest. Raises CUT-JOURNAL-3 for a format of a newer version."""
    known = Record(store, KEY).load()
    if known.get("format", FORMAT) != FORMAT:
        raise CutoverError("CUT-JOURNAL-3", f"the journal document {KEY} has the format {known['format']}")
    return dict(known.get("findings", {}))


def save(store: Store, entries: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Add entries, given by finding id; returns all by digest."""
    record = Record(store, KEY)
    known = record.load().get("findings", {})
    every = {**known, **{digest(name): dict(entry) for name, entry in entries.items()}}
    record.save({"format": FORMAT, "findings": every})
    return every


def parse(value: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Reasons by finding id, of entries with an id, or with code, where and key."""
    return {
        item.get("id") or f"{item['code']}|{item['where']}|{item['key']}": item["reason"] for item in value
    }
