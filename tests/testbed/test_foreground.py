# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`make testbed`: source, target and platform in the foreground, and every line that it prints to be tried."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator

import pytest
import yaml

from tests.testbed.printed import in_foreground, lines_to_try, variables


@pytest.fixture(scope="module")
def printed() -> Iterator[list[str]]:
    """What is printed until everything runs."""
    with in_foreground() as lines:
        yield lines


def test_it_names_all_parts(printed: list[str]) -> None:
    parts = ["source", "target", "inventory", "platform"]
    assert [line for line in printed if line in parts] == parts


def test_the_inventory_has_what_a_migration_needs(printed: list[str]) -> None:
    given = yaml.safe_load(variables(printed))
    assert len(given["source_endpoints"]) == 2
    assert given["target_password"] == "target-root"


def test_the_lines_to_try_work(printed: list[str]) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed: the printed lines cannot be tried")
    lines = lines_to_try(printed)
    assert len(lines) == 2 * 5 + 5
    script = "\n".join(["set -eu", *lines])
    ended = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, timeout=100)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    answers = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [answer["version"] for answer in answers if "license" in answer] == ["3.11.14", "3.11.14"]
    assert [answer["created"] for answer in answers if "created" in answer] == [5000, 5000]
    assert {"username": "root", "password": "target-root"} in answers
    assert answers[-1] == {"result": "paused"}
