# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the status document keeps of a data path that has ended, and what not."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._engine import states, status
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.dataplane_types import Progress
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.migration import Migration
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.world import Paths
from tests.unit.plugins.module_utils._engine.test_lost_stop import WANTED, no_world


@pytest.mark.parametrize("state", [states.ABORTED, states.FAILED, states.COMPLETED])
def test_nothing_is_waited_for_after_the_end(tmp_path: Path, state: str) -> None:
    """Its figures stay; an alert on what it last waited for would never end."""
    migration = Migration(WANTED, Paths(tmp_path), no_world, known={"state": state})
    migration.last_progress = Progress(documents_copied=7, waiting=("free disk space",))
    document = status.build(migration)
    assert document["state"] == state
    assert document["progress"]["documents_copied"] == 7
    assert document["waiting"] == {"for": None, "since": None}
