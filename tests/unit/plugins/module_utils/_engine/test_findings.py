# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Nothing is skipped silently: findings are kept, counted, bounded, and block while they are errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine import acceptance
from ansible_collections.cutover.arangodb.plugins.module_utils._engine import findings as module
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.findings import Finding, Findings
from tests.unit.control_fakes import FakeStore


def _finding(key: str | None = "k", severity: str = "error", code: str = "CUT-SCHEMA-1") -> Finding:
    return Finding(code, severity, "shop/things", "refused", "do something", key)


def test_i9_findings_survive_a_restart(tmp_path: Path) -> None:
    """With the key, and readable by the owner alone."""
    first = Findings(tmp_path / "findings.json")
    first.report(_finding())
    first.report(_finding())
    first.report(_finding("other", "warning"))
    first.save()
    again = Findings(tmp_path / "findings.json")
    assert [(item["key"], item["count"]) for item in again.all()] == [("k", 2), ("other", 1)]
    assert [item["key"] for item in again.blocking()] == ["k"]
    assert (tmp_path / "findings.json").stat().st_mode & 0o777 == 0o600
    problem = again.problems()[0]
    assert problem["remedy"]
    assert "shop/things" in problem["where"]


def test_resolved_by_code_and_place() -> None:
    """Only the one whose cause is gone."""
    findings = Findings()
    findings.report(_finding())
    findings.report(_finding(code="CUT-SCHEMA-2"))
    findings.resolve("CUT-SCHEMA-1", "elsewhere")
    assert len(findings.all()) == 2
    findings.resolve("CUT-SCHEMA-1", "shop/things")
    assert [item["code"] for item in findings.all()] == ["CUT-SCHEMA-2"]
    findings.clear()
    assert findings.all() == []


def test_i9_one_key_s_finding_goes_alone() -> None:
    findings = Findings()
    for key in ("a", "b"):
        findings.report(Finding("CUT-VERIFY-2", "error", "shop/things", "differs", "", key=key))
    findings.resolve("CUT-VERIFY-2", "shop/things", "a")
    assert [item["key"] for item in findings.all()] == ["b"]


def test_i8_their_number_is_bounded_and_the_rest_blocks_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken rule can hit every document."""
    monkeypatch.setattr(module, "MAX_FINDINGS", 3)
    findings = Findings()
    for number in range(10):
        findings.report(_finding(str(number), "warning"))
    assert len(findings.all()) == 4
    assert findings.blocking()[0]["code"] == module.OVERFLOW_CODE
    assert findings.blocking()[0]["count"] == 7


def test_i9_accepted_findings_block_no_more_and_no_others_do(tmp_path: Path) -> None:
    """Named by id, kept in the journal by digest, also for a finding that comes again."""
    store = FakeStore()
    findings = Findings(tmp_path / "findings.json")
    for key in ("a", "b"):
        findings.report(Finding("CUT-VERIFY-2", "error", "shop/things", "differs", "", key=key))
    reasons = acceptance.parse([{"code": "CUT-VERIFY-2", "where": "shop/things", "key": "a", "reason": "obsolete"}])
    acceptance.check(findings, reasons)
    every = acceptance.save(store, {name: {"reason": reason, "by": "me"} for name, reason in reasons.items()})
    assert "things" not in str(store.documents["accepted-findings"].body)
    findings.accept(every)
    assert [item["key"] for item in findings.blocking()] == ["b"]
    findings.save()
    again = Findings(tmp_path / "findings.json")
    again.accept(acceptance.load(store))
    again.report(Finding("CUT-VERIFY-2", "error", "shop/things", "differs", "", key="a"))
    assert [item["key"] for item in again.blocking()] == ["b"]
    assert again.all()[0]["accepted"] == {"reason": "obsolete", "by": "me"}
    acceptance.save(store, {"CUT-VERIFY-2|shop/things|b": {"reason": "too"}})
    assert len(acceptance.load(store)) == 2


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("CUT-VERIFY-2|shop/things|z", "those that block are: CUT-TOPO-8|server x|, CUT-VERIFY-2|shop/things|a"),
        ("CUT-TOPO-8|server x|", "name one document"),
        ("CUT-VERIFY-1|shop/things|w", "findings that block"),
    ],
)
def test_i9_what_cannot_be_accepted_is_refused_by_name(name: str, says: str) -> None:
    findings = Findings()
    findings.report(Finding("CUT-VERIFY-2", "error", "shop/things", "differs", "", key="a"))
    findings.report(Finding("CUT-TOPO-8", "error", "server x", "changed", ""))
    findings.report(Finding("CUT-VERIFY-1", "warning", "shop/things", "was repaired", "", key="w"))
    with pytest.raises(CutoverError) as refused:
        acceptance.check(findings, {name: "because"})
    assert refused.value.details == {"field": "accept_findings"}
    assert says in refused.value.message


def test_i9_acceptances_of_a_newer_version_are_refused() -> None:
    store = FakeStore()
    store.create("accepted-findings", {"format": 2, "findings": {}})
    with pytest.raises(CutoverError) as refused:
        acceptance.load(store)
    assert refused.value.code == "CUT-JOURNAL-3"
