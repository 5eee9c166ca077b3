# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""docs/testbed.md names what there is: every fault and state, and tests that exist; every fault has a test."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.testbed.cluster import REGISTERED
from tests.testbed.control_answers import KINDS, PRESETS
from tests.testbed.control_api import ACTIONS, STATES
from tests.testbed.fidelity import PAGE
from tests.testbed.launch import TestCluster
from tests.testbed.platform.launch import TestPlatform, behind
from tests.tools.blocks import blocks

HERE = Path(__file__).parent
TESTS = {path: path.read_text(encoding="utf-8") for path in HERE.glob("test_*.py")}
PLATFORM = (HERE / "platform" / "target.py").read_text(encoding="utf-8")  # its tests order these
TEXT = PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", sorted({*KINDS, *ACTIONS}))
def test_every_fault_is_described_and_tested(kind: str) -> None:
    assert REGISTERED
    assert f"`{kind}`" in TEXT
    assert any(f'"{kind}"' in text for text in (PLATFORM, *TESTS.values()))


def test_every_preset_and_every_state_is_described() -> None:
    assert not [name for name in PRESETS if name not in TEXT]
    assert not [name for name in STATES if f"/state/{name}" not in TEXT]


def test_every_naive_client_that_is_named_exists() -> None:
    section = TEXT.partition("## Nastier than the facts")[2].partition("\n## ")[0]
    named = set(re.findall(r"`(test_\w+)`", section))
    rows = [line for line in section.splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 12
    assert all(re.search(r"`test_\w+`", row) for row in rows)
    found = {name for text in TESTS.values() for name in re.findall(r"^def (test_\w+)", text, re.MULTILINE)}
    assert named <= found


def test_the_example_of_a_platform_runs(tmp_path: Path) -> None:
    """And does what its remarks say."""
    (example,) = blocks(TEXT, "python")
    names: dict[str, Any] = {
        "directory": tmp_path, "TestCluster": TestCluster, "TestPlatform": TestPlatform, "behind": behind,
    }  # fmt: skip
    look = "        seen = platform.control.get('/state/overview')\n"
    exec(compile(example + look, str(PAGE), "exec"), names)
    (deployment,) = names["seen"]["deployments"].values()
    assert deployment["state"] == "paused"
    assert deployment["password"] not in ("", "secret")
