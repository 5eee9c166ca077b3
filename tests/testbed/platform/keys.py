# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""API keys, the tokens made from them, and what their owner may do (platform facts §2, §10)."""

from __future__ import annotations

import base64
import hmac
import secrets
from dataclasses import dataclass, field
from typing import Any

from tests.testbed.platform import roles
from tests.testbed.platform.clock import Clock
from tests.testbed.platform.errors import Code, PlatformError

_UNAUTHENTICATED = "Unauthenticated"


@dataclass
class Key:
    """An API key; `grants` are resource URLs with the permissions that hold there and below."""

    fields: dict[str, Any]
    secret: str
    grants: list[tuple[str, frozenset[str]]] = field(default_factory=list)

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.fields["id"])

    def may(self, permission: str, url: str) -> bool:
        """Whether its owner has a permission on a resource."""
        return any(permission in allowed and roles.covers(scope, url) for scope, allowed in self.grants)

    def permissions(self, url: str) -> list[str]:
        """Every permission on a resource, sorted."""
        return sorted(set().union(*(allowed for scope, allowed in self.grants if roles.covers(scope, url))))


@dataclass
class Token:
    """A bearer token and the moment at which it ends."""

    text: str
    key: Key
    ends_at: float


class Keys:
    """Every key and every token."""

    def __init__(self, clock: Clock, lifetime: float, *, jwt: bool) -> None:
        self._clock = clock
        self._lifetime = lifetime
        self._jwt = jwt
        self.all: dict[str, Key] = {}
        self.tokens: dict[str, Token] = {}

    def valid(self, key: Key) -> bool:
        """Whether a key is neither revoked nor past its end."""
        ends_at = key.fields.get("expires_at")
        return not key.fields.get("is_revoked") and not (ends_at and ends_at <= self._clock.now())

    def authenticate(self, identifier: str, secret: str, wanted: float) -> tuple[str, float]:
        """A token and its lifetime in seconds; Unauthenticated for a wrong, revoked or expired key."""
        key = self.all.get(identifier)
        if key is None or not hmac.compare_digest(key.secret.encode(), secret.encode()) or not self.valid(key):
            raise PlatformError(Code.UNAUTHENTICATED, _UNAUTHENTICATED)
        text = secrets.token_urlsafe(48)
        if self._jwt:
            parts = (b'{"alg":"RS256","typ":"JWT"}', secrets.token_bytes(24), secrets.token_bytes(64))
            text = ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
        seconds = self._granted(wanted)
        self.tokens[text] = Token(text, key, self._clock.now() + seconds)
        return text, seconds

    def renew(self, text: str, wanted: float) -> float:
        """Let a token live on; Unauthenticated when it is not valid any more."""
        token = self._token(text)
        seconds = self._granted(wanted)
        token.ends_at = self._clock.now() + seconds
        return seconds

    def _granted(self, wanted: float) -> float:
        return min(wanted, self._lifetime) if wanted > 0 else self._lifetime

    def _token(self, text: str) -> Token:
        token = self.tokens.get(text)
        if token is None or token.ends_at <= self._clock.now() or not self.valid(token.key):
            self.tokens.pop(text, None)
            raise PlatformError(Code.UNAUTHENTICATED, _UNAUTHENTICATED)
        return token

    def caller(self, header: str) -> Key:
        """Who sends an `Authorization` header; its prefix `bearer` in any case (platform facts §1.3)."""
        scheme, _blank, text = header.partition(" ")
        if scheme.lower() != "bearer":
            raise PlatformError(Code.UNAUTHENTICATED, _UNAUTHENTICATED)
        return self._token(text.strip()).key
