# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The control listener of the platform: faults on demand, states, and what tests may look at (docs/testbed.md)."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from typing import Any

from tests.testbed.errors import ArangoError
from tests.testbed.message import Incoming, Response, failure, reply
from tests.testbed.platform import states
from tests.testbed.platform.app import App
from tests.testbed.platform.deployment import Deployment
from tests.testbed.platform.errors import PlatformError
from tests.testbed.platform.keys import Key
from tests.testbed.platform.reach import private
from tests.testbed.platform.world import World

Action = Callable[[World, dict[str, Any]], "object | Awaitable[object]"]
ACTIONS: dict[str, Action] = {}


def action(kind: str) -> Callable[[Action], Action]:
    """Register what `POST /fault` of a kind does; the result is the answer's `result`."""

    def register(function: Action) -> Action:
        ACTIONS[kind] = function
        return function

    return register


def dispatcher(app: App, token: str) -> Callable[[Incoming], Awaitable[Response | None]]:
    """The function that answers requests of the control listener."""

    async def answer(request: Incoming) -> Response:
        try:
            if not hmac.compare_digest(request.headers.get("x-testbed-token", ""), token):
                raise ArangoError(401)
            return await _answer(app, request)
        except ArangoError as error:
            return failure(error)
        except (KeyError, TypeError, ValueError, OSError, RuntimeError, PlatformError) as error:
            return failure(ArangoError(400, f"{type(error).__name__}: {error}"))

    return answer


async def _answer(app: App, request: Incoming) -> Response:
    if request.method == "GET" and request.path.startswith("/state/"):
        return reply(_state(app, request.path[7:]))
    if request.path != "/fault":
        raise ArangoError(404)
    if request.method == "DELETE":
        app.faults.entries.clear()
        return reply({"error": False})
    spec = request.json_object()
    if spec.get("kind") in app.faults.kinds:
        return reply({"id": app.faults.add(spec)})
    if spec.get("kind") not in ACTIONS:
        raise ArangoError(400, f"unknown kind of fault: {spec.get('kind')}")
    return reply({"result": await act(app.world, spec)})


async def act(world: World, spec: dict[str, Any]) -> object:
    """Do what an order of a kind says."""
    outcome = ACTIONS[spec["kind"]](world, spec)
    return await outcome if isinstance(outcome, Awaitable) else outcome


def _state(app: App, name: str) -> object:
    world = app.world
    if name == "requests":
        return dict(app.faults.requests)
    if name == "faults":
        return [{"id": one.identifier, "acted": one.acted, "remaining": one.remaining} for one in app.faults.entries]
    if name == "events":
        return world.events
    if name == "overview":
        return {
            "now": world.clock.now(),
            "deployments": {
                one.id: {"name": one.fields["name"], "state": one.state, "password": one.password}
                for one in world.deployments.values()
            },
            "backups": world.backups,
            "tokens": len(world.keys.tokens),
        }
    raise ArangoError(404)


def _deployment(world: World, spec: dict[str, Any]) -> Deployment:
    """The deployment that an order names by id or name; the first one by default."""
    for entry in world.deployments.values():
        if spec.get("deployment") in (None, entry.id, entry.fields["name"]):
            return entry
    raise ArangoError(404, f"no deployment {spec.get('deployment')}")


def _key(world: World, spec: dict[str, Any]) -> Key:
    for key in world.keys.all.values():
        if spec.get("key") in (None, key.id):
            return key
    raise ArangoError(404, f"no key {spec.get('key')}")


@action("state")
async def state(world: World, spec: dict[str, Any]) -> object:
    """Put a deployment into a `state`, and `set` fields of it by dotted path."""
    entry = _deployment(world, spec)
    if "state" in spec:
        if spec["state"] not in states.STATES:
            raise ArangoError(400, f"state: expecting one of {', '.join(states.STATES)}")
        await world.enter(entry, spec["state"])
    for path, value in dict(spec.get("set", {})).items():
        entry.put(path, value)
    world.touch(entry, "status")
    return entry.state


@action("server")
def server(world: World, spec: dict[str, Any]) -> object:
    """`set` fields of the server at `index` (0) of a deployment's status."""
    entry = _deployment(world, spec)
    found = entry.status["servers"][int(spec.get("index", 0))]
    found.update(spec["set"])
    world.touch(entry, "status")
    return found["id"]


@action("add_deployment")
async def add_deployment(world: World, spec: dict[str, Any]) -> object:
    """Another deployment; answers its id."""
    return (await world.add_deployment(spec)).id


@action("forget_deployment")
def forget_deployment(world: World, spec: dict[str, Any]) -> object:
    """The platform does not know a deployment any more."""
    return world.deployments.pop(_deployment(world, spec).id).id


@action("rotate_password")
async def rotate_password(world: World, spec: dict[str, Any]) -> object:
    """Root gets another `password`, a drawn one by default, on the cluster behind the deployment, too."""
    return await world.rotate_password(_deployment(world, spec), str(spec.get("password", "")))


@action("rotate_certificate")
async def rotate_certificate(world: World, spec: dict[str, Any]) -> object:
    """The deployment switches to another CA, and so does the cluster behind it; answers the certificate's id."""
    return (await world.rotate_certificate(_deployment(world, spec)))["id"]


@action("certificate")
def certificate(world: World, spec: dict[str, Any]) -> object:
    """`set` fields of a deployment's CA certificate; `ends_in` seconds from now it expires."""
    found = world.certificates[_deployment(world, spec).fields["certificates"]["ca_certificate_id"]]
    found.update(spec.get("set", {}))
    if "ends_in" in spec:
        found["expires_at"] = world.clock.now() + float(spec["ends_in"])
    return found["id"]


@action("allowlist")
async def allowlist(world: World, spec: dict[str, Any]) -> object:
    """Protect a deployment by an allowlist of `ranges`; without ranges by none. Answers the allowlist's id."""
    entry = _deployment(world, spec)
    made = world.add_allowlist({"cidr_ranges": spec["ranges"]})["id"] if "ranges" in spec else ""
    entry.put("ipallowlist_id", made)
    await world.update_door(entry)
    return made


@action("private_endpoint")
def private_endpoint(world: World, spec: dict[str, Any]) -> object:
    """A private endpoint, with `only` (false) in place of the public one, `ready` (true) or not."""
    entry, only, ready = _deployment(world, spec), bool(spec.get("only")), bool(spec.get("ready", True))
    identifier = world.new_id("pe")
    world.private_endpoints[entry.id] = {
        "id": identifier,
        "url": f"{entry.url}/PrivateEndpointService/{identifier}",
        "deployment_id": entry.id,
        "alternate_dns_names": list(spec.get("names", [])),
        "status": {"ready": ready, "needs_attention": not ready, "message": "" if ready else "waiting for acceptance"},
    }
    entry.put("private_endpoint", True)
    shown = {"private_endpoint": True, "private_endpoint_only": only, **private(entry)}
    if only:
        shown |= {"endpoint": "", "endpoint_self_signed": "", "endpoint_default": ""}
    for name, value in shown.items():
        entry.put(f"status.{name}", value)
    return identifier


@action("add_key")
def add_key(world: World, spec: dict[str, Any]) -> object:
    """Another API key; answers its `id` and `secret`."""
    key = world.add_key({name: value for name, value in spec.items() if name != "kind"})
    return {"id": key.id, "secret": key.secret}


@action("revoke_key")
def revoke_key(world: World, spec: dict[str, Any]) -> object:
    """A key (the first by default) and its tokens are not valid any more."""
    key = _key(world, spec)
    key.fields.update(is_revoked=True, revoked_at=world.clock.now())
    return key.id


@action("change_key")
def change_key(world: World, spec: dict[str, Any]) -> object:
    """`set` fields of a key (`is_readonly`, `organization_id`); `ends_in` seconds from now it expires."""
    key = _key(world, spec)
    key.fields.update(spec.get("set", {}))
    if "ends_in" in spec:
        key.fields["expires_at"] = world.clock.now() + float(spec["ends_in"])
    return key.id


@action("expire_tokens")
def expire_tokens(world: World, spec: dict[str, Any]) -> object:
    """Every token that was given ends now; answers how many."""
    count = len(world.keys.tokens)
    world.keys.tokens.clear()
    return count


@action("notify")
def notify(world: World, spec: dict[str, Any]) -> object:
    """A notification on a deployment: `text`, `severity` (INFO, WARNING, CRITICAL); a mail about it, too."""
    entry, now = _deployment(world, spec), world.clock.now()
    identifier = world.new_id("no")
    severity = f"NOTIFICATION_SEVERITY_{spec.get('severity', 'INFO')}"
    told = {"notification": str(spec["text"]), "severity": severity, "created_at": now, "updated_at": now}
    entry.put("notifications", {**(entry.fields.get("notifications") or {}), identifier: told})
    content = [{"content_type": "text/plain", "content": str(spec["text"])}]
    mail = {"id": identifier, "type": "email", "created_at": now, "title": str(spec["text"]), "content": content}
    world.mails.setdefault(entry.id, []).append({**mail, "recipients": ["owner@example.org"]})
    world.touch(entry, "status")
    return identifier


@action("logs")
def logs(world: World, spec: dict[str, Any]) -> object:
    """The `lines` of a deployment's logs."""
    world.logs[_deployment(world, spec).id] = [str(line) for line in spec["lines"]]
    return len(spec["lines"])


@action("fail_backup")
def fail_backup(world: World, spec: dict[str, Any]) -> object:
    """The next step of a backup, an upload or a restore of a deployment fails, with a `message`."""
    entry = _deployment(world, spec)
    world.failing[entry.id] = str(spec.get("message", "not enough disk space"))
    return entry.id


@action("backup")
def backup(world: World, spec: dict[str, Any]) -> object:
    """`set` fields of the status of a `backup` (`state`, `available`, `size_bytes`, …)."""
    found = world.backups[spec["backup"]]
    found["status"].update(spec["set"])
    return found["id"]


@action("organization")
def organization(world: World, spec: dict[str, Any]) -> object:
    """`set` features of the tier (`has_backup_uploads`, …); `audit_log` true: one is attached to the project."""
    world.organization["tier"].update(spec.get("set", {}))
    if "audit_log" in spec:
        identifier = world.new_id("al")
        log = {"id": identifier, "url": f"{world.organization['url']}/AuditLog/{identifier}", "name": "audit"}
        world.audit_log = {**log, "organization_id": world.organization["id"]} if spec["audit_log"] else None
    return world.organization["id"]


@action("advance")
async def advance(world: World, spec: dict[str, Any]) -> object:
    """Move the platform's time forward by `seconds`: tokens end, backups progress, passwords are rotated."""
    await world.clock.advance(float(spec["seconds"]))
    return world.clock.now()


@action("clock_skew")
def clock_skew(world: World, spec: dict[str, Any]) -> object:
    """Every time that the platform tells is wrong by `seconds`."""
    world.clock.skew = float(spec["seconds"])
    return world.clock.skew
