# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What real servers answered is what the emulator answers; the counts are printed (facts §11)."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.testbed import fidelity, recorded
from tests.testbed.recorded_compare import Comparison
from tests.testbed.recorded_scope import out_of_scope
from tests.testbed.recorded_sources import DIRECTORY, LACKING, VERSIONS, servers

HERE = Path(__file__).parent


@pytest.mark.parametrize("version", VERSIONS)
def test_recorded_exchanges_agree(version: str, capsys: pytest.CaptureFixture[str]) -> None:
    report = recorded.replay(version)
    with capsys.disabled():
        print(f"\n{report.text(version)}")
    assert not report.unequal
    assert report.replayed + sum(report.left_out.values()) == len(recorded.load(version))
    assert report.replayed >= 175


@pytest.mark.parametrize("version", VERSIONS)
def test_all_of_collections_documents_indexes_users_databases_and_wal_is_in_scope(version: str) -> None:
    pattern = re.compile(r"(/_db/_system)?/_api/(collection|document|index|user|database|wal)\b")
    left_out = [
        exchange["name"]
        for script in recorded.scripts(recorded.load(version))
        if out_of_scope(script) not in (None, "request and answer could not be paired for certain")
        for exchange in script
        if pattern.match(exchange["request"]["path"])
    ]
    assert not left_out


def test_nothing_depends_on_the_name_of_an_exchange() -> None:
    names = {exchange["name"] for version in VERSIONS for exchange in recorded.load(version)}
    sources = [path for path in HERE.rglob("*.py") if path.name != "test_recorded.py"]
    assert sources
    for path in sources:
        text = path.read_text(encoding="utf-8")
        found = [name for name in names if re.search(rf"\b{re.escape(name)}\b", text)]
        assert not found, f"{path.name} names {found}"


def test_a_lacking_body_comes_from_the_same_request_with_this_recordings_revisions() -> None:
    lacking = [entry for entry in _raw("3.10") if entry["request"].get("body") == LACKING]
    filled = {(entry["name"], entry["seq"]): entry for entry in recorded.load("3.10")}
    assert len(lacking) > 50
    revisions = 0
    for entry in lacking:
        body = filled[entry["name"], entry["seq"]]["request"]["body"]
        shown = set(re.findall(r"_[A-Za-z0-9_-]{10}", json.dumps(entry["response"]["body"])))
        if entry["response"]["status"] == 200:
            sent = re.findall(r'"_rev": "([^"]*)"', json.dumps(body))
            assert set(sent) <= shown
            revisions += len(sent)
    assert revisions


def _raw(version: str) -> list[recorded.Exchange]:
    path = DIRECTORY / f"{version}.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_the_server_is_the_one_that_the_answers_show() -> None:
    def script(body: object) -> list[recorded.Exchange]:
        return [{"response": {"body": body}}]

    assert servers("3.11", script(None)) == ["3.11.14"]
    assert servers("4.x", script({"version": "4.0.0-nightly.20260623"})) == ["4.0.0-nightly.20260623"]
    assert servers("4.x", script({"_rev": "_hg5kyX---_"})) == ["3.12.0-nightly.20240305"]
    assert len(servers("4.x", script({"error": False}))) > 1


def test_a_difference_is_seen() -> None:
    base = {"error": False, "id": "7", "items": [{"a": 1}], "checksum": "12"}
    for changed, expected in (
        ({**base, "error": True}, 1),
        ({**base, "items": [{"a": 1}, {"a": 2}]}, 1),
        ({**base, "items": [{"a": "1"}]}, 1),
        ({**base, "more": 1}, 1),
        ({name: value for name, value in base.items() if name != "id"}, 1),
        ({**base, "id": "x"}, 1),
        ({**base, "id": "99", "checksum": "13"}, 0),
        ({**base, "checksum": 12}, 1),
    ):
        comparison = Comparison({})
        comparison.value("body", base, changed)
        assert len(comparison.differences) == expected, comparison.differences
    known = Comparison({"7": "8"})
    known.value("body", base, {**base, "id": "9"})
    assert known.differences


def test_the_page_shows_what_was_replayed() -> None:
    reports = {version: recorded.replay(version) for version in VERSIONS}
    assert sum(report.replayed for report in reports.values()) >= 700
    page = fidelity.PAGE.read_text(encoding="utf-8")
    written = fidelity.with_table(page, fidelity.table(reports))
    assert page == written, "run python -m tests.testbed.fidelity"
