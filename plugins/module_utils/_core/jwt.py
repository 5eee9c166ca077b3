# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Superuser tokens for the source cluster (facts §1.1): HS256 with the cluster's shared secret."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Sequence
from typing import Optional

from .clock import SYSTEM_CLOCK, Clock
from .errors import CutoverError

MAX_SECRET = 64
# A secret file is tiny; a device or a wrong path must not be read without end.
_MAX_FILE = 65536


def load_secret(path: str, field: str = "source_jwt_secret_path") -> bytes:
    """Read a JWT secret file the way the server does: trim blanks and line ends, at most 64 bytes.

    ``field`` is the option's name for the error message. Raises ``CutoverError`` CUT-SECRET-1 to 4. The content never
    appears in a message.
    """
    # In quotes: without them "…secret: No such file" would be taken for a secret's value and masked.
    shown = f"{field}: the file {path!r}"
    try:
        with open(path, "rb") as file:
            raw = file.read(_MAX_FILE)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise CutoverError("CUT-SECRET-1", f"{shown} cannot be read: {reason}") from error
    secret = raw.strip(b" \t\r\n")
    if not secret:
        raise CutoverError("CUT-SECRET-2", f"{shown} is empty")
    if secret.startswith(b"-----BEGIN"):
        raise CutoverError("CUT-SECRET-4", f"{shown} holds a PEM key, not a shared secret")
    if len(secret) > MAX_SECRET:
        raise CutoverError(
            "CUT-SECRET-3", f"{shown} holds more than the {MAX_SECRET} bytes that ArangoDB accepts"
        )
    return secret


def mint(
    secret: bytes,
    *,
    now: float,
    lifetime: float,
    allowed_paths: Optional[Sequence[str]] = None,
) -> str:
    """A superuser token, good until ``now + lifetime`` (seconds since 1970), only for ``allowed_paths`` if given.

    No ``iat`` is written: a server whose clock is a little behind would take the token for one of the future.
    """
    claims: dict[str, object] = {"iss": "arangodb", "server_id": "cutover", "exp": int(now + lifetime)}
    if allowed_paths is not None:
        claims["allowed_paths"] = list(allowed_paths)
    signed = _part({"alg": "HS256", "typ": "JWT"}) + b"." + _part(claims)
    signature = hmac.new(secret, signed, hashlib.sha256).digest()
    return (signed + b"." + _base64(signature)).decode("ascii")


def _part(value: dict[str, object]) -> bytes:
    return _base64(json.dumps(value, separators=(",", ":")).encode("utf-8"))


def _base64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


class TokenSource:
    """Gives the Authorization header's value and renews the token at half of its life. Thread safe.

    A clock that was set back or forward renews at once as well, since the token's end is in calendar time.
    """

    def __init__(
        self,
        secret: bytes,
        *,
        lifetime: float = 600.0,
        allowed_paths: Optional[Sequence[str]] = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._secret = secret
        self._lifetime = lifetime
        self._allowed_paths = allowed_paths
        self._clock = clock
        self._lock = threading.Lock()
        self._value = ""
        self._minted = 0.0

    def __call__(self) -> str:
        """``bearer <token>`` with at least half of the lifetime left."""
        with self._lock:
            now = self._clock.wall()
            if not self._value or not 0 <= now - self._minted < self._lifetime / 2:
                token = mint(self._secret, now=now, lifetime=self._lifetime, allowed_paths=self._allowed_paths)
                self._value = f"bearer {token}"
                self._minted = now
            return self._value
