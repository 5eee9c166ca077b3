# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Recorded exchanges sent to one real single server without authentication, emptied before each script."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.testbed.recorded import Report, replay_on
from tests.testbed.recorded_scope import out_of_scope
from tests.testbed.recorded_sources import Exchange
from tests.testbed.recorded_target import Target

__all__ = ["replay"]


def replay(version: str, host: str, port: int, headers: dict[str, str] | None = None) -> Report:
    """Replay a version's recordings; everything that the server holds besides its system objects is dropped."""

    def opened(_build: str, _topology: str) -> Target:
        target = Target(host, port, headers or {})
        empty(target)
        return target

    return replay_on(opened, version, _left_out)


def _left_out(script: list[Exchange]) -> str | None:
    if script[0]["topology"] != "single":
        return "needs a cluster"
    return out_of_scope(script)


def empty(target: Target) -> None:
    """Drop what users made; what cannot be dropped stays (removal is tried once)."""
    target.send("DELETE", "/_api/job/all")
    for function in (target.send("GET", "/_api/aqlfunction").body or {}).get("result", []):
        target.send("DELETE", f"/_api/aqlfunction/{function['name']}")
    for path, listed, name, keep in _KINDS:
        body = target.send("GET", path).body
        for entry in body.get(listed, []) if isinstance(body, dict) else body or []:
            shown = entry if isinstance(entry, str) else str(entry[name])
            if not keep(entry):
                target.send("DELETE", f"{path}/{shown.rpartition('::')[2] if name == 'name' else shown}{_FORCE}")


_FORCE = "?force=true"  # of analyzers that views use; nothing else looks at it
# Path, attribute of the list, attribute of an entry that names it, and which entries stay.
_KINDS: tuple[tuple[str, str, str, Callable[[Any], bool]], ...] = (
    ("/_api/transaction", "transactions", "id", lambda _entry: False),
    ("/_api/database", "result", "", lambda entry: bool(entry == "_system")),
    ("/_api/gharial", "graphs", "_key", lambda _entry: False),
    ("/_api/view", "result", "name", lambda _entry: False),
    ("/_api/collection", "result", "name", lambda entry: bool(entry["isSystem"])),
    ("/_api/user", "result", "user", lambda entry: bool(entry["user"] == "root")),
    ("/_api/analyzer", "result", "name", lambda entry: "::" not in entry["name"]),
    ("/_api/tasks", "", "id", lambda _entry: False),
)
