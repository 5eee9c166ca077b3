# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The readings of what is unconfirmed (platform facts §12): documented, and refused when unknown."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.testbed import readings
from tests.testbed.platform.options import Options
from tests.testbed.platform.readings import NOT_OBSERVABLE, READINGS

PAGE = Path(__file__).resolve().parents[3] / "docs" / "testbed.md"


def test_the_page_lists_every_reading() -> None:
    table = readings.table(READINGS, NOT_OBSERVABLE)
    assert f"<!-- platform readings: begin -->\n{table}<!-- platform readings: end -->" in PAGE.read_text()


@pytest.mark.parametrize("values", [{"readings": {"99": "x"}}, {"readings": {"6": "x"}}, {"unknown": 1}])
def test_unknown_options_and_readings_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="expecting one of"):
        Options.parse(values)


def test_the_command_line_refuses_them_too() -> None:
    command = [sys.executable, "-m", "tests.testbed.platform", "serve", "--reading", "6=nonsense"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 2
    assert "expecting one of replaced, merged" in ended.stderr
