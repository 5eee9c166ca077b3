# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Certificates of a cluster: a CA of its own and one server certificate for loopback and, where asked, more."""

from __future__ import annotations

import os
from pathlib import Path

import trustme


def make(directory: Path, *hosts: str) -> tuple[Path, Path]:
    """Write `ca.pem` and `server.keyfile` (certificate and key in one file, mode 0600); answers both paths."""
    authority = trustme.CA(organization_name="testbed", key_type=trustme.KeyType.ECDSA)
    leaf = authority.issue_cert("localhost", "127.0.0.1", "::1", *hosts, key_type=trustme.KeyType.ECDSA)
    ca_path, keyfile = directory / "ca.pem", directory / "server.keyfile"
    authority.cert_pem.write_to_path(str(ca_path))
    private(keyfile, leaf.private_key_and_cert_chain_pem.bytes())
    return ca_path, keyfile


def private(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
