# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The display of --watch: one moving line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import copy
import io
import json

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._agent.progress import Progress
from tests.unit.fake_engine import STATUS

PROBLEM = {"code": "CUT-X-1", "severity": "warning", "where": "db/c", "text": "odd", "remedy": "look"}


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def documents() -> list[dict[str, object]]:
    """Three looks: the second is as the first, the third has moved and has a problem."""
    later = copy.deepcopy(STATUS)
    later["progress"]["percent"] = 75.0
    later["problems"] = [PROBLEM]
    return [copy.deepcopy(STATUS), copy.deepcopy(STATUS), later, later]


def test_a_line_at_each_change_elsewhere(documents: list[dict[str, object]]) -> None:
    stream = io.StringIO()
    with Progress("table", stream) as progress:
        for document in documents:
            progress(document)
    lines = stream.getvalue().splitlines()
    assert [line.split(" | ")[1] for line in lines] == ["copied 50.0 % (1.5 KiB)", "copied 75.0 % (1.5 KiB)"]
    assert "\x1b" not in stream.getvalue()


def test_one_moving_line_on_a_terminal(
    documents: list[dict[str, object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    stream = Terminal()
    with Progress("table", stream) as progress:
        for document in documents:
            progress(document)
    drawn = stream.getvalue().split("\r\x1b[2K")
    assert drawn[0] == ""
    assert [len(text) for text in (drawn[1], drawn[3].rstrip("\n"))] == [59, 59]
    assert drawn[1].startswith("[############............] inactive")
    assert drawn[2] == "warning: odd (CUT-X-1)\n"
    assert drawn[3].startswith("[##################......] inactive")
    assert drawn[3].endswith("\n")
    assert len(drawn) == 4


def test_json_stays_json_on_a_terminal(documents: list[dict[str, object]]) -> None:
    stream = Terminal()
    with Progress("json", stream) as progress:
        for document in documents:
            progress(document)
    assert [json.loads(line)["progress"]["percent"] for line in stream.getvalue().splitlines()] == [50.0, 75.0]
