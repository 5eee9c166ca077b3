# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`/_api/token`: access tokens, which stand for a user's password since 3.12 (facts §1.2, §10)."""

from __future__ import annotations

import secrets
import time
from typing import Any

from tests.testbed.errors import ArangoError
from tests.testbed.message import Request, Response, reply
from tests.testbed.routing import route
from tests.testbed.tokens import digest, tokens_of


def _user(request: Request) -> str:
    """The user of the path; errorNum 11 unless it is the caller or he is admin, 1703."""
    name = request.params["user"]
    deployment = request.deployment
    admin = deployment.authenticator.database_level(request.caller, "_system") == "rw"
    if request.caller.user != name and not admin:
        raise ArangoError(11)
    if name not in deployment.authenticator.users.all:
        raise ArangoError(1703)
    return name


@route("GET", "/_api/token/{user}", level="authenticated")
def list_tokens(request: Request) -> Response:
    """The tokens of a user, without their texts."""
    entries = tokens_of(request.deployment, _user(request))
    return reply({"tokens": [_shown(entry) for entry in entries]})


def _shown(entry: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name != "hash"}


@route("POST", "/_api/token/{user}", level="authenticated")
def create(request: Request) -> Response:
    """Make a token; its text is shown this once."""
    entries = tokens_of(request.deployment, _user(request))
    body = request.json_object()
    name, until = body.get("name"), body.get("valid_until", time.time() + 30 * 86400)
    if not isinstance(name, str) or isinstance(until, bool) or not isinstance(until, int | float):
        raise ArangoError(400, "expecting 'name' and 'valid_until'")
    if any(entry["name"] == name for entry in entries):
        raise ArangoError(1207)
    text = f"v1.{secrets.token_hex(32)}"
    entry = {
        "id": len(entries) + 1,
        "name": name,
        "valid_until": int(until),
        "created_at": int(time.time()),
        "fingerprint": f"v1...{text[-6:]}",
        "active": True,
        "hash": digest(text),
    }
    entries.append(entry)
    return reply({**_shown(entry), "token": text})


@route("DELETE", "/_api/token/{user}/{id}", level="authenticated")
def delete(request: Request) -> Response:
    """Take a token away."""
    entries = tokens_of(request.deployment, _user(request))
    found = next((entry for entry in entries if str(entry["id"]) == request.params["id"]), None)
    if found is None:
        raise ArangoError(404)
    entries.remove(found)
    return reply({})
