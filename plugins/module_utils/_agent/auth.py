# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who may do what: bearer tokens kept as digests, client certificates, three roles (design §9)."""
from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from .._core.errors import CutoverError
from .config import ROLES, AgentConfig
from .messages import Principal, Request

EVERY_ROLE = frozenset(ROLES)
LOCAL = Principal("local", EVERY_ROLE)


def roles_of(role: str) -> frozenset[str]:
    """The roles that `role` carries: each one includes those before it."""
    return frozenset(ROLES[: ROLES.index(role) + 1])


def _presented(request: Request, role: str) -> str | None:
    """The token in the request; as a Basic password (for browsers) only where nothing can be changed with it."""
    scheme, blank, value = request.headers.get("authorization", "").partition(" ")
    if not blank:
        return None
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic" and role == "read" and request.method in ("GET", "HEAD"):
        try:
            return base64.b64decode(value.strip(), validate=True).decode("utf-8").partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return None
    return None


class Authenticator:
    """Decides by the configuration; every token is compared, each in constant time, whichever matches."""

    def __init__(self, config: AgentConfig) -> None:
        self._tokens = config.tokens
        self._certificates = config.client_ca is not None
        named = config.clients
        self._clients = None if named is None else {client.subject: client.role for client in named}
        self._open = not config.authenticates

    def principal(self, request: Request, role: str) -> Principal | None:
        """Who asks, or None when the request proves nothing."""
        if self._open:
            return LOCAL
        token = _presented(request, role)
        if token is not None:
            return self._by_token(token)
        if self._certificates and request.client_subject is not None:
            return self._by_subject(request.client_subject)
        return None

    def _by_subject(self, subject: str) -> Principal | None:
        """Without a list of clients every certificate of the CA carries all roles."""
        if self._clients is None:
            return Principal(subject, EVERY_ROLE)
        role = self._clients.get(subject)
        return Principal(subject, roles_of(role)) if role is not None else None

    def _by_token(self, token: str) -> Principal | None:
        digest = hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
        found = None
        for known in self._tokens:
            if hmac.compare_digest(known.sha256, digest):
                found = known
        return Principal(found.name, roles_of(found.role)) if found else None

    def require(self, request: Request, role: str) -> Principal:
        """The caller, who has `role`; raises CUT-AGENT-10 (unknown caller) or CUT-AGENT-11 (role missing)."""
        caller = self.principal(request, role)
        if caller is None:
            raise CutoverError("CUT-AGENT-10", f"{request.method} {request.path}: no valid token or client certificate")
        if role not in caller.roles:
            raise CutoverError(
                "CUT-AGENT-11",
                f"{request.method} {request.path} needs the role {role}, which {caller.name} does not have",
                details={"needed": role, "caller": caller.name},
            )
        return caller
