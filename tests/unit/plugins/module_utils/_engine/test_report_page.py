# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The report's page: complete in itself, escaped, and nothing of the report is missing."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.report_page import MAX_ROWS, render

ODD = '<script>alert("x")</script>'
REPORT: dict[str, Any] = {
    "at": "2026-11-28T04:00:00.000Z",
    "name": ODD,
    "by": "ops",
    "config_digest": "5e88",
    "specification": {"name": ODD, "max_downtime": 20.0},
    "result": "completed",
    "reason": None,
    "attempt": {"number": 2, "at": "2026-11-28T03:59:00.000Z"},
    "steps": [
        {"name": "fence", "state": "done", "seconds": 2.5},
        {"name": "users", "state": "pending", "seconds": None},
    ],
    "max_downtime": 20.0,
    "fenced_seconds": 4.25,
    "source": {
        "version": "3.11.14",
        "cluster_id": "c1",
        "former_modes": {"CRDN-1": "default"},
        "positions": {"PRMR-1": "123"},
        "writers_cancelled": 1,
    },
    "target": {"version": "3.12.10"},
    "moved": {"databases": 2, "collections": 9, "documents_copied": 7, "bytes_copied": 2048, "operations_applied": 3},
    "proof": {"collections": 9, "methods": {"checksums": 8, ODD: 1}, "differences": [], "samples": {"a": [1]}},
    "keys": {
        "how": {"one shard": "goes on above"}, "largest": 17, "next": 9, "open": ["db/keyed"], "accepted": "own keys",
    },
    "not_verified": ["password hashes"],
    "accepted": {"row": "because"},
    "findings": [{"severity": "warning", "code": "CUT-X-1", "where": "db/c", "key": "k", "message": ODD}],
    "late_indexes": {"pending": 0, "built": 1, "failed": 0, "indexes": ["db/c/expiry"]},
    "rehearsal": {"result": "rehearsed", "predicted_downtime_seconds": {"low": 1, "mid": 2, "high": 3}, "steps": []},
    "changes_since_open": {
        "at": "later",
        "source_mode": "readonly",
        "collections": [{"database": "db", "collection": "c", "created": 1, "changed": 2, "removed": 3, "keys": ["k"]}],
        "definitions": ["collection db/new is not on the source"],
    },
    "revocation": {"result": "refused", "by": "ops", "at": "later", "reason": "written", "differences": ["d1"],
                   "steps": []},
}  # fmt: skip
VOID = {"meta", "br", "link", "img"}


class Checker(HTMLParser):
    """Opened and closed elements match; nothing points outside."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        assert not {"src", "href", "onclick"} & {name for name, _value in attrs}
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def checked(report: dict[str, Any]) -> str:
    """The page, after its form was looked at."""
    html = render(report)
    checker = Checker()
    checker.feed(html)
    assert checker.open == []
    assert "script" not in checker.seen
    assert "url(" not in html
    return html


def test_everything_is_there_and_escaped() -> None:
    html = checked(REPORT)
    assert ODD not in html
    for text in ("ops", "4.2 s", "3.11.14", "3.12.10", "password hashes", "because", "CUT-X-1", "PRMR-1", "expiry",
                 "1 to 3 s, most likely 2 s", "db/new", "d1", "Completed", "goes on above", "db/keyed",
                 "own keys"):  # fmt: skip
        assert text in html, text


@pytest.mark.parametrize("result", ["rolled-back", "refused", "rehearsed", "something new"])
def test_other_results(result: str) -> None:
    """Also with nothing but what every report has."""
    html = checked({"name": "n", "result": result, "reason": "why it is so", "attempt": {"number": 1, "at": "now"}})
    assert "why it is so" in html
    assert "Nothing was compared" in html


def test_a_revoked_opening_is_the_verdict() -> None:
    assert "Revoked:" in checked({**REPORT, "revocation": {**REPORT["revocation"], "result": "revoked"}})


def test_long_lists_are_cut_and_say_so() -> None:
    many = [{"code": f"CUT-X-{number}", "message": "m"} for number in range(MAX_ROWS + 7)]
    html = checked({**REPORT, "findings": many})
    assert "7 more are in the JSON report" in html
    assert len(re.findall("CUT-X-", html)) == MAX_ROWS
