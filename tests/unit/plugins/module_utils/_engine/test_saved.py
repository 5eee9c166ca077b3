# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An older agent refuses what a newer one has written on the disk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine import saved, spec

REQUEST = {"source_endpoints": ["https://s:1"], "target_endpoints": ["https://t:1"], "target_password": "hush"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that this version wrote."""
    path = tmp_path / "migration.json"
    saved.save(path, spec.parse(REQUEST), {"state": "running"})
    return path


def test_what_was_written_comes_back(path: Path) -> None:
    known = saved.load(path)
    assert known is not None
    assert known[0] == spec.parse(REQUEST)
    assert known[1]["state"] == "running"
    assert path.stat().st_mode & 0o777 == 0o600
    assert saved.load(path.with_name("none")) is None


@pytest.mark.parametrize("found", [saved.FORMAT + 1, "2", None])
def test_a_newer_format_is_refused(path: Path, found: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": found}))
    with pytest.raises(CutoverError, match="it has the format") as refused:
        saved.load(path)
    assert refused.value.code == "CUT-STATE-10"


def test_an_option_of_a_newer_version_is_named(path: Path) -> None:
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "request": {**document["request"], "teleport": True}}))
    with pytest.raises(CutoverError, match="the option teleport") as refused:
        saved.load(path)
    assert refused.value.code == "CUT-STATE-10"
    assert "hush" not in str(refused.value)
