# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The judge has nothing against a good run, and something against each that is spoilt on purpose."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.soak.judge import MAX_RSS, Evidence, judge

COMPLETED = Evidence(
    "cutover", "completed", "completed", "default", {"Coordinator0001": "readonly", "DBServer0001": "readonly"},
    peak_rss=50 * 10**6, threads_left=1, exit_status={"agent 1": 0, "agent 2": None},
)
ABORTED = Evidence("abort", "aborted", "none", "default", {"Coordinator0001": "default", "DBServer0001": "default"})


@pytest.mark.parametrize("evidence", [COMPLETED, ABORTED])
def test_nothing_is_wrong_with_a_good_run(evidence: Evidence) -> None:
    assert judge(evidence) == []


def test_a_source_that_was_found_read_only_stays_so_after_an_abort() -> None:
    modes = dict.fromkeys(ABORTED.modes, "readonly")
    assert judge(replace(ABORTED, found_mode="readonly", modes=modes)) == []
    assert judge(replace(ABORTED, found_mode="readonly")) != []


@pytest.mark.parametrize(
    ("evidence", "changes", "said"),
    [
        (COMPLETED, {"state": "running"}, "ended as running"),
        (COMPLETED, {"decision": "opening"}, "decision record says opening"),
        (COMPLETED, {"modes": {**COMPLETED.modes, "DBServer0001": "default"}}, "has to be readonly"),
        (COMPLETED, {"differences": ["missing document: shop/orders/a"]}, "missing document"),
        (COMPLETED, {"lost": ["lost before the fence: shop/orders/a"]}, "lost before the fence"),
        (COMPLETED, {"opened_early": ["probe1 was written while the decision record was fenced"]}, "fenced"),
        (COMPLETED, {"written_on_both": "the source acknowledged a write 0.20 s after the target had"}, "0.20 s"),
        (COMPLETED, {"errors_of_users": ["Churn: DocumentInsertError"]}, "DocumentInsertError"),
        (COMPLETED, {"secrets_seen": ["agent.log: root's password"]}, "secret in agent.log"),
        (COMPLETED, {"peak_rss": MAX_RSS + 10**6}, "201 MB"),
        (COMPLETED, {"threads_left": 9}, "9 threads"),
        (COMPLETED, {"exit_status": {"agent 1": -9}}, "agent 1 ended with status -9"),
        (ABORTED, {"modes": {**ABORTED.modes, "DBServer0001": "readonly"}}, "has to be default"),
        (ABORTED, {"decision": "completed"}, "decision record says completed"),
        (ABORTED, {"state": "completed"}, "ended as completed"),
        (ABORTED, {"users_refused_by_source": "the source takes no writes after an abort"}, "takes no writes"),
    ],
)
def test_whatever_is_spoilt_is_said(evidence: Evidence, changes: dict[str, Any], said: str) -> None:
    wrong = judge(replace(evidence, **changes))
    assert len(wrong) >= 1
    assert any(said in text for text in wrong)
