# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The API key that asks: what it is, and whether it may write (platform facts §2.4)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from .._core.errors import CutoverError
from .client import PlatformClient


def describe(client: PlatformClient) -> dict[str, Any]:
    """The client's own key; times as the platform writes them, null where it names none."""
    found = client.get(f"/api/iam/v1/apikeys/{quote(client.key_id, safe='')}")
    return {
        "id": client.key_id,
        "organization_id": found.get("organization_id") or None,
        "read_only": bool(found.get("is_readonly")),
        "expires_at": found.get("expires_at"),
    }


def require_writable(client: PlatformClient, purpose: str) -> None:
    """Raise CUT-PLATFORM-11 for a read-only key: the platform itself would only say that a permission is missing."""
    if describe(client)["read_only"]:
        text = f"the API key {client.key_id} is read-only, which is not enough for {purpose}"
        raise CutoverError("CUT-PLATFORM-11", text, details={"purpose": purpose})
