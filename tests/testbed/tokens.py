# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Access tokens of users, of which only hashes are kept (facts §1.2)."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.testbed.model import Deployment


def tokens_of(deployment: Deployment, user: str) -> list[dict[str, Any]]:
    """The tokens of a user."""
    known: dict[str, list[dict[str, Any]]] = deployment.objects.setdefault("access_tokens", {})
    return known.setdefault(user, [])


def digest(text: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(text.encode()).hexdigest()


def accepted(deployment: Deployment, user: str, text: str) -> bool:
    """Whether a text given as a password is a token of the user that is valid now."""
    if not text.startswith("v1."):
        return False
    kept = digest(text)
    return any(entry["hash"] == kept and entry["valid_until"] > time.time() for entry in tokens_of(deployment, user))
