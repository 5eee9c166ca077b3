# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""CA certificates of the platform, and server certificates for running clusters (platform facts §4)."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import trustme
from cryptography import x509

from tests.testbed import certificates

_LIFETIME = 157_680_000.0  # five years


class Authority:
    """A CA made by the platform."""

    def __init__(self) -> None:
        self._ca = trustme.CA(organization_name="platform", key_type=trustme.KeyType.ECDSA)
        self.pem = self._ca.cert_pem.bytes().decode()

    def write_keyfile(self, directory: Path) -> Path:
        """A certificate and key for loopback in one file."""
        leaf = self._ca.issue_cert("localhost", "127.0.0.1", "::1", key_type=trustme.KeyType.ECDSA)
        path = directory / f"{uuid.uuid4().hex}.keyfile"
        certificates.private(path, leaf.private_key_and_cert_chain_pem.bytes())
        return path


def record(identifier: str, project_url: str, pem: str, now: float, *, cloned_from: str = "") -> dict[str, Any]:
    """The platform's object of a CA certificate; its end is that of the certificate itself, if this comes first."""
    ends_at = x509.load_pem_x509_certificate(pem.encode()).not_valid_after_utc.timestamp()
    return {
        "id": identifier,
        "url": f"{project_url}/CACertificate/{identifier}",
        "name": "Default certificate",
        "project_id": project_url.rsplit("/", 1)[1],
        "lifetime": _LIFETIME,
        "created_at": now,
        "expires_at": min(ends_at, now + _LIFETIME),
        "certificate_pem": pem,
        "is_default": not cloned_from,
        "cloned_from_id": cloned_from,
    }
