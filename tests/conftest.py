# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Settings of all tests: the collection's import path and a reproducible hypothesis profile."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings

from tests.tree import import_paths

settings.register_profile(
    "cutover", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
# Who only asks whether a test fails (make mutants) does not wait minutes for its smallest example.
settings.register_profile("verdict", settings.get_profile("cutover"), phases=(Phase.explicit, Phase.generate))
settings.load_profile("cutover")


def _share_import_path() -> None:
    """Make this process and its children see the collection; conftest files below import it when they are loaded."""
    paths = import_paths(Path(__file__).resolve().parent.parent)
    inherited = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry not in ("", *paths)]
    os.environ["PYTHONPATH"] = os.pathsep.join([*paths, *inherited])


_share_import_path()
