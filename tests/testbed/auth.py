# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who asks: JWT and Basic authentication, the cache of users and their levels (facts §1, §8)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.testbed import tokens
from tests.testbed.users import Access, UserStore, collection_level, database_level

if TYPE_CHECKING:
    from tests.testbed.model import Deployment

SESSION_SECONDS = 3600
_KNOWN_LIMIT = 1000


@dataclass(frozen=True)
class Principal:
    """An authenticated caller; the superuser has an empty name."""

    user: str
    superuser: bool = False
    allowed_paths: tuple[str, ...] | None = None


def _unpad(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _pad_less(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sign(secret: bytes, claims: dict[str, Any]) -> str:
    """An HS256 token (facts §1.1)."""
    head = _pad_less(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
    payload = _pad_less(json.dumps(claims).encode())
    signature = hmac.new(secret, f"{head}.{payload}".encode(), hashlib.sha256).digest()
    return f"{head}.{payload}.{_pad_less(signature)}"


def verify(secret: bytes, token: str, now: float) -> dict[str, Any] | None:
    """The claims of a valid token, else None."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        signature, head, claims = _unpad(parts[2]), json.loads(_unpad(parts[0])), json.loads(_unpad(parts[1]))
    except (ValueError, binascii.Error):
        return None
    expected = hmac.new(secret, f"{parts[0]}.{parts[1]}".encode(), hashlib.sha256).digest()
    if not hmac.compare_digest(signature, expected) or not isinstance(claims, dict) or not isinstance(head, dict):
        return None
    if head.get("alg") != "HS256" or claims.get("iss") != "arangodb":
        return None
    expires = claims.get("exp")
    if isinstance(expires, int | float) and expires <= now:
        return None
    return claims


class Authenticator:
    """Checks credentials and answers what a user may do."""

    def __init__(self, deployment: Deployment, secret: bytes) -> None:
        self.secret = secret
        self._deployment = deployment
        self.users = UserStore(deployment)
        self._known: dict[str, tuple[str, str]] = {}  # Basic credentials that were right → user and stored hash

    def authenticate(self, header: str | None, *, users: bool, path: str) -> Principal | None:
        """The caller of an `Authorization` header; `users` is false on DB-Servers, which know no users."""
        scheme, blank, rest = (header or "").partition(" ")
        if not blank:
            return None
        if scheme.lower() == "bearer":
            return self._bearer(rest.strip(), users, path)
        if scheme.lower() == "basic" and users:
            return self._basic(rest.strip())
        return None

    def _bearer(self, token: str, users: bool, path: str) -> Principal | None:
        claims = verify(self.secret, token, time.time())
        if claims is None:
            return None
        allowed = claims.get("allowed_paths")
        if isinstance(allowed, list) and path not in allowed:
            return None
        user = str(claims.get("preferred_username") or "")
        if not user:
            return Principal("", superuser=True) if claims.get("server_id") else None
        return Principal(user) if users and self.users.active(user) else None

    def _basic(self, text: str) -> Principal | None:
        known = self._known.get(text)
        if known is not None and known[1] == self._fingerprint(known[0]):
            return Principal(known[0])
        try:
            user, colon, password = base64.b64decode(text).decode().partition(":")
        except (ValueError, binascii.Error):
            return None
        if tokens.accepted(self._deployment, user, password) and self.users.active(user):
            return Principal(user)
        if not colon or not self.users.check_password(user, password):
            return None
        if len(self._known) > _KNOWN_LIMIT:
            self._known.clear()
        self._known[text] = (user, self._fingerprint(user))
        return Principal(user)

    def _fingerprint(self, user: str) -> str:
        data = self.users.all.get(user, {}).get("authData", {})
        return f"{data.get('active')}/{data.get('simple', {}).get('hash')}"

    def login(self, user: str, password: str) -> str | None:
        """A token of a user for an hour (facts §1.2), or None."""
        if not self.users.check_password(user, password) and not tokens.accepted(self._deployment, user, password):
            return None
        now = int(time.time())
        claims = {"iss": "arangodb", "preferred_username": user, "iat": now, "exp": now + SESSION_SECONDS}
        return sign(self.secret, claims)

    def database_level(self, principal: Principal, database: str) -> Access:
        """Level of a caller on a database."""
        if principal.superuser:
            return "rw"
        return database_level(self.users.all.get(principal.user, {}), database)

    def collection_level(self, principal: Principal, database: str, collection: str) -> Access:
        """Level of a caller on a collection; never on `_system/_users` for others than the superuser (facts §1.3)."""
        if principal.superuser:
            return "rw"
        return collection_level(self.users.all.get(principal.user, {}), database, collection)

    def database_created(self, name: str, creator: Principal, users: list[dict[str, Any]]) -> None:
        """Give the users named in the request, else the creator, RW on a new database."""
        for entry in users:
            user = str(entry.get("username") or entry.get("user") or "")
            if user and user not in self.users.all:
                password = str(entry.get("passwd") or entry.get("password") or "")
                self.users.create(user, password, bool(entry.get("active", True)), entry.get("extra"))
            if user:
                self.users.grant(user, name, None, "rw")
        if not users and creator.user:
            self.users.grant(creator.user, name, None, "rw")

    def database_dropped(self, name: str) -> None:
        """Take the entries of a dropped database out of the users."""
        self.users.forget(name)

    def collection_created(self, database: str, name: str, creator: Principal) -> None:
        """Write a grant for the creator into his document (facts §7.1)."""
        if creator.user and not name.startswith("_"):
            self.users.grant(creator.user, database, name, "rw")

    def collection_dropped(self, database: str, name: str) -> None:
        """Take the entries of a dropped collection out of the users."""
        self.users.forget(database, name)
