# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""data: deployments, root's password, pausing and resuming (platform facts §3)."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator
from typing import Any

from tests.testbed.platform import messages as m
from tests.testbed.platform import servers, updates
from tests.testbed.platform.call import Call, found, page
from tests.testbed.platform.deployment import Deployment
from tests.testbed.platform.errors import refused
from tests.testbed.platform.routing import rpc
from tests.testbed.platform.schema import Value

_BEAT = 0.05  # seconds between two looks of a stream
_OWN = ("id", "url", "project_id", "created_at", "created_by_id", "status", "size", "expiration", "region_id")
_DEPLOYMENTS = "/api/data/v1/deployments/{id}"


def deployment(call: Call, identifier: str, *permissions: str) -> Deployment:
    """A deployment by its id; NotFound, or PermissionDenied unless the caller has the permissions on it."""
    entry = found(call.world.deployments, identifier, "Deployment")
    for permission in permissions:
        call.require(permission, entry.url)
    return entry


@rpc("GetDeployment", "GET", _DEPLOYMENTS, m.ID, m.DEPLOYMENT)
async def get_deployment(call: Call, wish: Value) -> Value:
    """One deployment."""
    return await call.world.shown(deployment(call, wish["id"], "data.deployment.get"))


@rpc("GetDeploymentUpdates", "POST", "/api/data/v1/streaming/deployment", m.ID, m.DEPLOYMENT, body=True)
async def stream_deployment(call: Call, wish: Value) -> AsyncIterator[Value]:
    """The deployment now, and again after every change."""
    entry = deployment(call, wish.get("id", ""), "data.deployment.get")
    seen: Value = {}
    while True:
        call.world.keys.caller(call.request.headers.get("authorization", ""))
        shown = await call.world.shown(entry)
        if shown == seen:
            yield {}
        else:
            seen = copy.deepcopy(shown)
            yield seen
        await asyncio.sleep(_BEAT)


@rpc("UpdateDeployment", "PATCH", _DEPLOYMENTS, m.DEPLOYMENT, m.DEPLOYMENT, body=True)
async def update_deployment(call: Call, wish: Value) -> Value:
    """Another specification; what is missing is cleared (platform facts §3.9), the platform's own fields stay."""
    entry = deployment(call, wish["id"], "data.deployment.update")
    if wish.get("ipallowlist_id"):
        found(call.world.allowlists, wish["ipallowlist_id"], "IPAllowlist")
    authority = wish.get("certificates", {}).get("ca_certificate_id", "")
    if authority:
        found(call.world.certificates, authority, "CACertificate")
    updates.check(entry.fields, wish)
    version = entry.fields["version"]
    kept = {name: entry.fields[name] for name in _OWN if name in entry.fields}
    before = entry.fields if call.world.options.reads(6, "merged") else {}
    entry.fields = {**before, **wish, **kept}
    for name in ("certificates", "model", "servers"):
        entry.fields.setdefault(name, {})
    entry.fields["version"] = entry.fields.get("version") or version
    if entry.fields["version"] != version:
        updates.begin_upgrade(call.world, entry)
    call.world.touch(entry, "update")
    await call.world.update_door(entry)
    return entry.fields


@rpc(
    "GetDeploymentCredentials",
    "GET",
    "/api/data/v1/deploymentcredentials/{deployment_id}",
    m.CREDENTIALS_WISH,
    m.CREDENTIALS,
)
def get_credentials(call: Call, wish: Value) -> Value:
    """Root's password; the organisation sees who read it."""
    entry = deployment(call, wish["deployment_id"], "data.deployment.get", "data.deploymentcredentials.get")
    reason = wish.get("reason", "")
    call.world.event("data.deploymentcredentials.read", entry.fields, reason=reason, created_with=call.agent)
    return {"username": "root", "password": entry.password}


@rpc("ListDeployments", "GET", "/api/data/v1/projects/{context_id}/deployments", m.PAGE, m.DEPLOYMENT_LIST)
async def list_deployments(call: Call, wish: Value) -> Value:
    """The deployments of a project."""
    project = found({call.world.project["id"]: call.world.project}, wish["context_id"], "Project")
    call.require("data.deployment.list", project["url"])
    budget = {"used": len(call.world.deployments), "unlimited": True}
    items = page(list(call.world.deployments.values()), wish)
    return {"items": [await call.world.shown(entry) for entry in items], "budget": budget}


@rpc(
    "ListDeploymentsByFilter",
    "GET",
    "/api/data/v1/organizations/{organization_id}/deployments",
    m.DEPLOYMENT_FILTER,
    m.DEPLOYMENT_LIST,
)
async def list_by_filter(call: Call, wish: Value) -> Value:
    """The deployments that the caller may see; an empty list instead of an error."""
    entries = [one for one in call.world.deployments.values() if _fits(call, one, wish)]
    return {"items": [await call.world.shown(one) for one in page(entries, wish.get("options", {}))]}


def _fits(call: Call, entry: Deployment, wish: Value) -> bool:
    ends_at = entry.fields["expiration"].get("expires_at", 0.0)
    wrong: list[Any] = [
        wish["organization_id"] != entry.organization_id,
        wish.get("project_id") and wish["project_id"] != entry.fields["project_id"],
        wish.get("region_id") and wish["region_id"] != entry.fields["region_id"],
        wish.get("expires_after") and not ends_at > wish["expires_after"],
        wish.get("expires_before") and not 0 < ends_at < wish["expires_before"],
        wish.get("does_not_expire") and ends_at,
    ]
    return call.may("data.deployment.get", entry.url) and not any(wrong)


@rpc("ResumeDeployment", "POST", _DEPLOYMENTS + "/resume", m.ID, m.NOTHING)
async def resume(call: Call, wish: Value) -> Value:
    """Wake a paused deployment; it is ready some time later."""
    entry, world = deployment(call, wish["id"], "data.deployment.resume"), call.world
    if entry.state != "paused":
        raise refused("Deployment is not paused")
    await world.enter(entry, "not-ready")
    entry.put("status.description", "Resuming")
    entry.put("last_resumed_at", world.clock.now())
    world.clock.after(world.options.resume_seconds, lambda: world.enter(entry, "ready"))
    return {}


@rpc("PauseDeployment", "POST", _DEPLOYMENTS + "/pause", m.ID, m.NOTHING)
async def pause(call: Call, wish: Value) -> Value:
    """Stop every server of a deployment."""
    entry = deployment(call, wish["id"], "data.deployment.pause")
    if entry.fields.get("is_paused"):
        raise refused("Deployment is already paused")
    await call.world.enter(entry, "paused")
    return {}


@rpc(
    "RotateDeploymentServer",
    "POST",
    "/api/data/v1/deployments/{deployment_id}/rotate/{server_id}",
    m.SERVER_ID,
    m.NOTHING,
)
def rotate_server(call: Call, wish: Value) -> Value:
    """Restart one server."""
    entry, world = deployment(call, wish["deployment_id"], "data.deployment.rotate-server"), call.world
    server = found({one["id"]: one for one in entry.status["servers"]}, wish["server_id"], "Server")
    server["rotation_pending"] = True
    world.touch(entry, "status")

    async def restarted() -> None:
        if entry.target is not None and server["type"] != "agent":
            await entry.target.restart(server["id"])
        servers.put(server, "ok")
        server.update(rotation_pending=False, last_started_at=world.clock.now())
        world.touch(entry, "status")

    world.clock.after(world.options.restart_seconds, restarted)
    return {}


@rpc("GetImportDataInstructions", "GET", _DEPLOYMENTS + "/import-data-instructions", m.ID, m.IMPORT_HELP)
def import_instructions(call: Call, wish: Value) -> Value:
    """Command lines for a human."""
    entry = deployment(call, wish["id"], "data.deployment.get")
    place = entry.status.get("endpoint", "").replace("https://", "http+ssl://")
    end = f"--server.endpoint {place} --server.username root"
    return {
        "import_dump": [f"arangorestore {end}"],
        **{f"arango_import_{kind}": [f"arangoimport --type {kind} {end}"] for kind in ("json", "csv", "tsv")},
    }


@rpc("GetConnectDriverInstructions", "GET", _DEPLOYMENTS + "/connect-driver-instructions", m.ID, m.DRIVER_HELP)
def driver_instructions(call: Call, wish: Value) -> Value:
    """Lines of code for a human."""
    entry = deployment(call, wish["id"], "data.deployment.get")
    code = [f'client = ArangoClient(hosts="{entry.status.get("endpoint", "")}")']
    return {"drivers": [{"name": "python-arango", "code": code, "driver_url": "https://docs.python-arango.com"}]}
