# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Secrets by reference."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._agent.references import resolve
from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError


def test_file_and_environment(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("from-file\n")
    assert resolve("--x", f"file:{path}", {}) == "from-file"
    assert resolve("--x", "env:NAME", {"NAME": "from-env"}) == "from-env"


@pytest.mark.parametrize("given", ["s3cr3t-value", "http://s3cr3t-value", "file:", "env:", ""])
def test_a_bare_secret_is_refused_and_not_repeated(given: str) -> None:
    with pytest.raises(CutoverError) as caught:
        resolve("--target.password", given, {})
    assert caught.value.code == "CUT-AGENT-30"
    assert "s3cr3t" not in str(caught.value)


def test_broken_references_are_named(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.write_text(" \n")
    for reference in (f"file:{tmp_path / 'none'}", f"file:{empty}", "env:ABSENT", f"file:{tmp_path}"):
        with pytest.raises(CutoverError) as caught:
            resolve("--x", reference, {})
        assert caught.value.code == "CUT-AGENT-31"
