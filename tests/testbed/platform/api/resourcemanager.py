# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""resourcemanager and platform: organisation, project, quotas, events, regions (platform facts §6)."""

from __future__ import annotations

from tests.testbed.platform import catalogue
from tests.testbed.platform import messages as m
from tests.testbed.platform.call import Call, found, page
from tests.testbed.platform.routing import rpc
from tests.testbed.platform.schema import Value

_BASE = "/api/resourcemanager/v1"


def _organization(call: Call, identifier: str, permission: str) -> Value:
    entry = found({call.world.organization["id"]: call.world.organization}, identifier, "Organization")
    call.require(permission, entry["url"])
    return entry


def _project(call: Call, identifier: str) -> Value:
    entry = found({call.world.project["id"]: call.world.project}, identifier, "Project")
    call.require("resourcemanager.project.get", entry["url"])
    return entry


@rpc("GetOrganization", "GET", _BASE + "/organizations/{id}", m.ID, m.ORGANIZATION)
def get_organization(call: Call, wish: Value) -> Value:
    """The organisation with its tier."""
    return _organization(call, wish["id"], "resourcemanager.organization.get")


@rpc("GetProject", "GET", _BASE + "/projects/{id}", m.ID, m.PROJECT)
def get_project(call: Call, wish: Value) -> Value:
    """One project."""
    return _project(call, wish["id"])


def _quotas(wish: Value) -> Value:
    kinds = wish.get("kinds") or list(catalogue.QUOTAS)
    items = [
        {"kind": kind, "description": kind.rpartition(".")[2], "limit": catalogue.QUOTAS[kind]}
        for kind in kinds
        if kind in catalogue.QUOTAS
    ]
    return {"items": page(items, wish.get("options", {}))}


@rpc("ListProjectQuotas", "GET", _BASE + "/projects/{project_id}/quotas", m.QUOTAS_WISH, m.QUOTA_LIST)
def project_quotas(call: Call, wish: Value) -> Value:
    """Limits of a project; without a limit there is none."""
    _project(call, wish["project_id"])
    return _quotas(wish)


@rpc("ListOrganizationQuotas", "GET", _BASE + "/organizations/{organization_id}/quotas", m.QUOTAS_WISH, m.QUOTA_LIST)
def organization_quotas(call: Call, wish: Value) -> Value:
    """Limits of the organisation; without a limit there is none."""
    _organization(call, wish["organization_id"], "resourcemanager.organization.get")
    return _quotas(wish)


@rpc("ListEvents", "POST", _BASE + "/organizations/{organization_id}/events", m.EVENTS_WISH, m.EVENT_LIST, body=True)
def list_events(call: Call, wish: Value) -> Value:
    """What happened in the organisation."""
    _organization(call, wish["organization_id"], "resourcemanager.event.list")
    subjects, kinds = wish.get("subject_ids", []), wish.get("types", [])
    after, before = wish.get("created_after") or 0.0, wish.get("created_before") or float("inf")
    events = [
        one
        for one in call.world.events
        if (not subjects or one["subject_id"] in subjects)
        and (not kinds or one["type"] in kinds)
        and after <= one["created_at"] <= before
    ]
    return {"items": page(events[::-1] if wish.get("sort_descending") else events, wish.get("options", {}))}


@rpc("GetRegion", "GET", "/api/platform/v1/regions/{id}", m.ID, m.REGION)
def get_region(call: Call, wish: Value) -> Value:
    """One region with its provider."""
    return found(catalogue.REGIONS, wish["id"], "Region")
