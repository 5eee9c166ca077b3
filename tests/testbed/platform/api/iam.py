# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""iam: tokens from keys, the key itself, and what its owner may do (platform facts §2)."""

from __future__ import annotations

from tests.testbed.platform import messages as m
from tests.testbed.platform.call import Call
from tests.testbed.platform.errors import Code, PlatformError
from tests.testbed.platform.routing import rpc
from tests.testbed.platform.schema import Value


@rpc("AuthenticateAPIKey", "POST", "/api/iam/v1/apikeys/{id}/authenticate", m.AUTHENTICATE, m.TOKEN, public=True)
def authenticate(call: Call, wish: Value) -> Value:
    """A bearer token; a JSON body is ignored, as if the secret were empty."""
    token, seconds = call.world.keys.authenticate(wish["id"], wish.get("secret", ""), wish.get("time_to_live", 0.0))
    return {"token": token, "time_to_live": seconds}


@rpc("RenewAPIKeyToken", "POST", "/api/iam/v1/tokens/{token}/renew", m.TOKEN_LIFE, m.TOKEN, public=True)
def renew(call: Call, wish: Value) -> Value:
    """The same token lives longer."""
    return {"time_to_live": call.world.keys.renew(wish["token"], wish.get("time_to_live", 0.0))}


@rpc("RevokeAPIKeyToken", "POST", "/api/iam/v1/tokens/{token}/revoke", m.TOKEN_LIFE, m.NOTHING, public=True)
def revoke(call: Call, wish: Value) -> Value:
    """The token is not valid any more; succeeds for unknown ones, too."""
    call.world.keys.tokens.pop(wish["token"], None)
    return {}


@rpc("GetAPIKey", "GET", "/api/iam/v1/apikeys/{id}", m.ID, m.KEY)
def get_api_key(call: Call, wish: Value) -> Value:
    """A key of the caller himself."""
    key = call.world.keys.all.get(wish["id"])
    if key is None or key.fields["user_id"] != call.key.fields["user_id"]:
        raise PlatformError(Code.NOT_FOUND, f"API key '{wish['id']}' not found")
    ends_at = key.fields.get("expires_at", 0.0)
    return {**key.fields, "is_expired": bool(ends_at) and ends_at <= call.world.clock.now()}


@rpc("HasPermissions", "GET", "/api/iam/v1/policies/permissions", m.PERMISSIONS, m.YES_NO)
def has_permissions(call: Call, wish: Value) -> Value:
    """Whether the caller has all of some permissions on a resource."""
    url = wish.get("url", "")
    return {"result": all(call.may(permission, url) for permission in wish.get("permissions", []))}


@rpc("GetEffectivePermissions", "GET", "/api/iam/v1/policies/effective-permissions", m.PERMISSIONS, m.PERMISSION_LIST)
def effective_permissions(call: Call, wish: Value) -> Value:
    """Every permission that the caller has on a resource."""
    url = wish.get("url", "")
    return {"items": [permission for permission in call.key.permissions(url) if call.may(permission, url)]}
