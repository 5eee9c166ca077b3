# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Reports of the prechecks in every form: whole, escaped, refused at once where they cannot be written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.plugin_utils._precheck_report import writer_for


def check(name: str, status: str, message: str = "m", remedy: str = "") -> dict[str, Any]:
    return {"id": name, "group": name.partition("-")[0], "status": status, "message": message, "remedy": remedy}


RESULT = {
    "passed": False, "summary": {"passed": 1, "failed": 1, "unknown": 1, "skipped": 1}, "query_result": None,
    "checks": [
        check("source-a", "passed"), check("source-b", "failed", "<b>&\x07", "do it"), check("target-c", "skipped"),
        check("target-d", "unknown", "no answer", "look"),
    ],
    "capabilities": [{"id": "target-e", "status": "missing", "found": "<no>", "mode": "another way"}],
    "forecast": {"size": {"stored_bytes": 3 * 2**20, "documents": 1234}, "notes": ["<x>"]},
}  # fmt: skip


def written(path: Path) -> str:
    writer_for(str(path))(RESULT)
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    return path.read_text()


def test_json_is_the_whole_result(tmp_path: Path) -> None:
    found = json.loads(written(tmp_path / "report.json"))
    assert found == {name: RESULT[name] for name in ("passed", "summary", "checks", "capabilities", "forecast")}


def test_junit_has_a_suite_for_each_group(tmp_path: Path) -> None:
    root = ElementTree.fromstring(written(tmp_path / "report.xml"))
    suites = {suite.get("name"): suite for suite in root}
    counted = ("tests", "failures", "errors", "skipped")
    figures = {name: [suite.get(word) for word in counted] for name, suite in suites.items()}
    assert figures == {"source": ["2", "1", "0", "0"], "target": ["2", "0", "1", "1"]}
    failure = suites["source"].find("testcase[@name='source-b']/failure")
    assert failure is not None
    assert failure.get("message") == "<b>& "
    assert failure.text == "<b>& \nRemedy: do it"


def test_the_page_needs_nothing_and_shows_the_worst_first(tmp_path: Path) -> None:
    page = written(tmp_path / "report.html")
    order = [page.index(f"<td>{name}</td>") for name in ("source-b", "target-d", "target-c", "source-a")]
    assert order == sorted(order)
    assert "&lt;b&gt;&amp;" in page
    assert '<td class="missing">missing</td><td>target-e</td><td>&lt;no&gt;</td><td>another way</td>' in page
    assert "3.0 MiB with replicas and indexes, 1,234 documents" in page
    assert "<td>&lt;x&gt;</td>" in page
    assert not [word for word in ("<script", "http:", "https:", "src=") if word in page]


@pytest.mark.parametrize("name", ["report.pdf", "report", "missing/report.json"])
def test_what_cannot_be_written_is_refused_at_once(tmp_path: Path, name: str) -> None:
    with pytest.raises(CutoverError, match="report_path") as refused:
        writer_for(str(tmp_path / name))
    assert refused.value.details["field"] == "report_path"
