# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The end-to-end test without the emulator's faults: written to all the time, the agent killed twice, cut over."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.real.clusters import RealMigration, Running

__all__ = ["migrate"]


def _copying(status: Mapping[str, Any]) -> bool:
    return (status["progress"]["documents_copied"] or 0) > 0


def migrate(
    home: Path, archive: Path, clusters: Mapping[str, Running], *, time_scale: float = 1.0, seconds: float = 600
) -> list[str]:
    """Fill the source, migrate it under load, cut over; return the differences, of which there should be none.

    Each step may take `seconds`.
    """
    with RealMigration(home, archive, clusters, time_scale) as migration:
        migration.fill()
        workload = migration.begin_writing(speed=0.5)
        migration.agent.start()
        migration.agent.call("POST", "/v1/migration", migration.request(overwrite_target=False))
        migration.agent.wait("something copied", _copying, seconds)
        migration.agent.kill()
        migration.agent.start()
        workload.define()
        migration.wait_in_sync(seconds)
        migration.agent.kill()
        migration.agent.start()
        migration.wait_in_sync(seconds)
        workload.truncate()
        migration.cut_over(seconds)
        time.sleep(1.5)
        migration.agent.wait("late indexes", lambda status: not status["late_indexes"]["pending"], seconds)
        differences = migration.differences()
        if not workload.figures()["writes"]["target"]:
            differences.append("nobody wrote to the opened target")
        return differences
