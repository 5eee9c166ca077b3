# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the status page shows of a migration that has ended: nothing that moved, and nothing that is not known."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._agent.page import render_page
from tests.browser.states import ABORTED, COMPLETED, FAILED, READY, REPORT

LATE = {"code": "CUT-PROOF-3", "severity": "warning", "where": "shop/orders", "key": "o-1"}
UNWATCHED = {"code": "CUT-PROOF-4", "severity": "warning", "where": "source"}


def tiles(
    status: dict[str, Any], findings: tuple[dict[str, Any], ...] = (), report: dict[str, Any] | None = None
) -> dict[str, str]:
    """The page's figures by name, without markup."""
    page = render_page(status, findings, None, report)
    found = re.findall(r'<div class="tile"><dt>(.*?)</dt><dd>(.*?)</dd></div>', page)
    return {name: html.unescape(re.sub("<[^>]+>", "", value)).strip() for name, value in found}


def test_after_the_opening_the_result_is_shown() -> None:
    assert tiles(COMPLETED, (), REPORT) == {
        "Result": "completed attempt 2, asked for by ops",
        "Opened": "03:14:04 UTC 2026-11-28",
        "Downtime": "4.2 s of 10.0 s allowed",
        "Verified": "1,402,331,778 documents in 214 collections, before the opening",
        "Late writes": "none seen on the source since the fence",
        "Source": "readonly 3.11.14",
        "Target": "open 3.12.10",
        "Report": "Report of the last cutover",
    }


def test_what_this_agent_does_not_know_is_not_made_up() -> None:
    """It was started anew, or another one has cut over."""
    found = tiles({**COMPLETED, "since": None}, (), None)
    assert (found["Opened"], found["Downtime"], found["Verified"]) == ("unknown", "unknown", "unknown")
    assert "Report" not in found


@pytest.mark.parametrize(
    ("findings", "says"),
    [
        ((LATE,), "1 finding on the source since the fence"),
        ((LATE, LATE, UNWATCHED), "2 findings the source was not watched for the whole time"),
        ((UNWATCHED,), "none seen the source was not watched for the whole time"),
    ],
)
def test_late_writes_are_counted(findings: tuple[dict[str, Any], ...], says: str) -> None:
    assert tiles(COMPLETED, findings, REPORT)["Late writes"] == says


def test_an_abort_says_whether_the_source_takes_writes_and_what_was_tried() -> None:
    assert tiles(ABORTED, (), REPORT) == {
        "Result": "aborted",
        "Since": "03:20:41 UTC 2026-11-28",
        "Last cutover": "rolled-back",
        "Downtime": "6.0 s of the last cutover",
        "Possible now": "start",
        "Source": "default 3.11.14",
        "Target": "closed 3.12.10",
        "Report": "Report of the last cutover",
    }


def test_a_failure_says_what_is_possible() -> None:
    found = tiles(FAILED)
    assert (found["Result"], found["Last cutover"]) == ("failed CUT-STATE-7", "none was tried")
    assert found["Possible now"] == "start, abort"
    assert not {"Lag", "Copying", "Applying", "Downtime", "Report"} & found.keys()
    assert "<h2>Logs of the source, as they were seen last</h2>" in render_page(FAILED, ())


@pytest.mark.parametrize(("status", "shown"), [(READY, True), (FAILED, True), (COMPLETED, False), (ABORTED, False)])
def test_shards_and_logs_are_shown_while_they_tell_something(status: dict[str, Any], shown: bool) -> None:
    page = render_page(status, ())
    for part in ("<progress", "Logs of the source", "all shards", "Lease until"):
        assert (part in page) is shown
    assert page.count("<section data-part=") == render_page(READY, ()).count("<section data-part=")
