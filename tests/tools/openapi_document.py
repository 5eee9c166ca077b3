# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writes docs/openapi.json from the agent's table of routes: ``python -m tests.tools.openapi_document``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.tree import import_paths

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [path for path in import_paths(ROOT) if path not in sys.path]

from ansible_collections.cutover.arangodb.plugins.module_utils._agent import openapi, routes  # noqa: E402
from ansible_collections.cutover.arangodb.plugins.module_utils._agent.api import Api  # noqa: E402
from ansible_collections.cutover.arangodb.plugins.module_utils._agent.events import EventLog  # noqa: E402
from ansible_collections.cutover.arangodb.plugins.module_utils._agent.history import History  # noqa: E402
from tests.unit.fake_engine import FakeEngine  # noqa: E402

DOCUMENT = ROOT / "docs" / "openapi.json"


def table() -> tuple[routes.Route, ...]:
    """All routes of an agent."""
    return routes.routes_of(Api(FakeEngine(), lambda _request: {}, lambda: True, "", EventLog(), History()))


def text() -> str:
    """The whole file."""
    document = openapi.document((route.method, route.path, route.role) for route in table())
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(text(), encoding="utf-8")
