# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the parts of the status page say: no more than is certain, and nothing left out."""

from __future__ import annotations

import html
import re

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._agent.page import render_page
from ansible_collections.cutover.arangodb.plugins.module_utils._agent.page_parts import (
    blockers,
    findings,
    progress,
    servers,
    shard_links,
    steps,
    tiles,
    verdict,
)
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.cutover import Cutover
from tests.browser.states import BLOCKED, COPYING, CUTTING, READY, REFUSED, REPORT


@pytest.mark.parametrize(
    ("step", "mode", "says"),
    [
        ("intent", "default", "The source still takes writes, and everything can still be taken back."),
        ("intent", "readonly", "The source does not take writes. Until the opening"),
        ("fence", "default", "The source does not take writes. Until the opening"),
        ("proof", "readonly", "The source does not take writes. Until the opening"),
        ("open", "readonly", "may be past taking back"),
        ("users", "readonly", "The target is open: applications may use it."),
        ("complete", "readonly", "no way back by itself"),
    ],
)
def test_each_step_of_a_cutover_tells_what_it_means(step: str, mode: str, says: str) -> None:
    at = Cutover.STEPS.index(step)
    steps = [
        {"name": name, "state": "done" if index < at else "running" if index == at else "pending"}
        for index, name in enumerate(Cutover.STEPS)
    ]
    kind, content = verdict({"state": "stopping", "source": {"mode": mode}, "cutover": {"step": step, "steps": steps}})
    assert kind == "busy"
    assert f"The cutover is under way: {step}" in content
    assert says in content


@pytest.mark.parametrize(("mode", "says"), [("readonly", "does not take writes"), ("default", "still takes writes")])
def test_before_any_step_is_known_the_sources_mode_decides(mode: str, says: str) -> None:
    assert says in verdict({"state": "stopping", "source": {"mode": mode}, "cutover": {"steps": []}})[1]


LATELY = {"state": "running", "age_seconds": 0.4, "cutover": {"ready": True}}


def test_what_was_seen_long_ago_promises_nothing() -> None:
    assert verdict(LATELY)[0] == "good"
    kind, content = verdict({**LATELY, "age_seconds": 300.0})
    assert kind == "warn"
    assert "Not known: the agent has not looked for a while" in content
    assert "5 min 0 s old" in content
    assert "Yes" not in content


def test_a_copy_that_goes_on_alarms_nobody() -> None:
    """Until somebody has to look: it waits or pauses, something is wrong, or it was in sync before."""
    found = [{"text": "shards that are not in sync: 12 pending"}]
    copying = {"state": "initial-sync", "age_seconds": 0.4, "cutover": {"ready": False, "blockers": found}}
    kind, content = verdict(copying)
    assert kind == "busy"
    assert "Not safe to cut over yet: 1 reason" in content
    assert '<span class="tag busy">not yet</span>' in blockers(copying)
    for change in (
        {"state": "running"},
        {"waiting": {"for": "the target", "since": None}},
        {"pause": {"state": "paused", "by": "operator", "since": None, "reason": None}},
        {"problems": [{"severity": "error"}]},
    ):
        assert verdict({**copying, **change})[0] == "bad"
        assert '<span class="tag bad">error</span>' in blockers({**copying, **change})
    assert verdict({**copying, "problems": [{"severity": "warning"}]})[0] == "busy"


def test_a_failure_says_what_to_do() -> None:
    reason = {"text": "another <agent> took over", "remedy": "Look at that agent."}
    content = verdict({"state": "failed", "reason": reason})[1]
    assert "another &lt;agent&gt; took over" in content
    assert "<strong>What to do:</strong> Look at that agent." in content
    assert "What to do" not in verdict({"state": "failed", "reason": None})[1]


def test_an_abort_says_why_if_anything_is_known() -> None:
    assert "<p>Applications use the source. It was asked for.</p>" in verdict(
        {"state": "aborted", "reason": {"text": "It was asked for."}}
    )[1]  # fmt: skip
    assert "<p>Applications use the source.</p>" in verdict({"state": "aborted", "reason": None})[1]


def test_a_pause_says_by_whom_since_when_and_why() -> None:
    pause = {"state": "paused", "by": "operator", "since": "2026-11-28T03:00:00.000Z", "reason": "lunch"}
    content = verdict({**LATELY, "pause": pause})[1]
    assert "<strong>Paused</strong> by the operator since 2026-11-28T03:00:00.000Z: lunch</p>" in content
    bare = {**LATELY, "pause": {**pause, "since": None, "reason": None}}
    assert "<strong>Paused</strong> by the operator</p>" in verdict(bare)[1]


def test_what_is_built_after_the_opening_is_told() -> None:
    completed = {"state": "completed", "late_indexes": {"pending": 3, "built": 1, "failed": 0}}
    assert "Indexes that are still being built on the target: 3." in verdict(completed)[1]
    assert "Indexes" not in verdict({**completed, "late_indexes": {"pending": 0}})[1]


def test_a_figure_that_is_not_known_is_named_once() -> None:
    assert "unknown behind" not in tiles({}, None)
    assert "2.0 KiB behind" in tiles({"replication": {"behind_bytes": 2048}}, None)


def words(part: str) -> str:
    """What people read of it."""
    return " ".join(html.unescape(re.sub("<[^>]+>", " ", part)).split())


def test_the_copy_has_a_bar_with_what_is_left() -> None:
    shown = progress(COPYING)
    assert '<progress aria-labelledby="copied-label" max="100" value="37.4">' in shown
    assert words(shown) == (
        "Copied: 37.4 % 143.6 GiB of 384.0 GiB, 524,472,085 of 1,402,331,778 documents, "
        "39 min 40 s left (27 min 46 s to 1 h 3 min)"
    )
    assert "left" not in words(progress(READY))
    assert progress({"progress": {"percent": None}}) == ""


def test_figures_are_those_of_the_status() -> None:
    assert words(tiles(READY, None)) == (
        "Lag 0.3 s 20.0 KiB behind Copying 0 B/s Applying 1,874/s operations Shards in sync 9,000 of 9,000 "
        "Verified 5 min 12 s ago running Source default 3.11.14 Target closed 3.12.10 "
        "Log kept for us 26 h 0 min until the source's disk is full"
    )
    assert "Verified not yet" in words(tiles(COPYING, None))


def test_every_blocker_and_finding_has_its_remedy() -> None:
    told = words(blockers(BLOCKED))
    for item in BLOCKED["cutover"]["blockers"]:
        assert f"error {item['code']} {item['text']} What to do: {item['remedy']}" in told
    assert words(findings([REFUSED])) == (
        f"Findings (1) error {REFUSED['code']} {REFUSED['where']} {REFUSED['message']} "
        f"What to do: {REFUSED['remedy']}"
    )
    many = words(findings([REFUSED] * 103))
    assert many.count("What to do:") == 100
    assert many.endswith("3 more are in the API.")


def test_a_cutover_shows_its_steps_with_their_times() -> None:
    shown = steps(CUTTING)
    assert words(shown).startswith(
        "Cutover intent done, 0.2 s fence done, 0.5 s cancel writers done, 0.8 s definitions done, 1.1 s drain running"
    )
    assert shown.count('aria-current="step"') == 1
    assert steps(READY) == ""
    assert words(steps(BLOCKED)) == "Cutover Last cutover: refused : two blockers."


def test_the_last_report_is_linked_once_there_is_one() -> None:
    link = '<a href="/v1/migration/report.html">Report of the last cutover</a>'
    assert link in render_page(BLOCKED, (), None, REPORT)
    assert link not in render_page(BLOCKED, (), None, None)


def test_servers_and_shards_are_listed() -> None:
    assert "PRMR-2 0.2 s 9182733 9182733 44.0 % 28 h 0 min –" in words(servers(READY))
    assert words(shard_links(COPYING)) == "Shards 5203 pending 8 copying 12 catching up 3777 in sync all shards"
    assert 'href="/shards?state=catching-up"' in shard_links(COPYING)
