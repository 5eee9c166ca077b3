# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""security: allowlists of addresses (platform facts §5)."""

from __future__ import annotations

from tests.testbed.platform import messages as m
from tests.testbed.platform import reach
from tests.testbed.platform.call import Call, found, page
from tests.testbed.platform.errors import invalid
from tests.testbed.platform.routing import rpc
from tests.testbed.platform.schema import Value
from tests.testbed.platform.world import PROJECT_URL

_KEPT = ("id", "url", "project_id", "created_at", "created_by_id")


def _project(call: Call, identifier: str, permission: str) -> None:
    found({call.world.project["id"]: call.world.project}, identifier, "Project")
    call.require(permission, PROJECT_URL)


def _ranges(call: Call, ranges: list[str]) -> list[str]:
    try:
        return reach.check_ranges(ranges, keep_comments=not call.world.options.reads(7, "comments-stripped"))
    except ValueError as error:
        raise invalid(f"cidr_ranges: {error}") from error


@rpc("GetIPAllowlist", "GET", "/api/security/v1/ipallowlists/{id}", m.ID, m.ALLOWLIST)
def get_allowlist(call: Call, wish: Value) -> Value:
    """One allowlist."""
    allowlist = found(call.world.allowlists, wish["id"], "IPAllowlist")
    call.require("security.ipallowlist.get", allowlist["url"])
    return allowlist


@rpc("ListIPAllowlists", "GET", "/api/security/v1/projects/{context_id}/ipallowlists", m.PAGE, m.ALLOWLIST_LIST)
def list_allowlists(call: Call, wish: Value) -> Value:
    """The allowlists of a project."""
    _project(call, wish["context_id"], "security.ipallowlist.list")
    return {"items": page(list(call.world.allowlists.values()), wish)}


@rpc(
    "CreateIPAllowlist",
    "POST",
    "/api/security/v1/project/{project_id}/ipallowlists",
    m.ALLOWLIST,
    m.ALLOWLIST,
    body=True,
)
def create_allowlist(call: Call, wish: Value) -> Value:
    """A new allowlist; the path has `project` in the singular."""
    _project(call, wish["project_id"], "security.ipallowlist.create")
    return call.world.add_allowlist({**wish, "id": "", "cidr_ranges": _ranges(call, wish.get("cidr_ranges", []))})


@rpc("UpdateIPAllowlist", "PATCH", "/api/security/v1/ipallowlists/{id}", m.ALLOWLIST, m.ALLOWLIST, body=True)
async def update_allowlist(call: Call, wish: Value) -> Value:
    """Another content; what is missing is cleared unless a reading says otherwise."""
    allowlist = found(call.world.allowlists, wish["id"], "IPAllowlist")
    call.require("security.ipallowlist.update", allowlist["url"])
    kept = {name: allowlist[name] for name in _KEPT}
    before = allowlist if call.world.options.reads(6, "merged") else {}
    changed = {"cidr_ranges": [], **before, **wish, **kept}
    changed["cidr_ranges"] = _ranges(call, changed["cidr_ranges"])
    call.world.allowlists[wish["id"]] = changed
    for entry in call.world.deployments.values():
        await call.world.update_door(entry)
    return changed
