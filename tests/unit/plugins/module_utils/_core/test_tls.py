# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""TLS contexts: always verifying, and clear about unusable CA files."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._core.tls import client_context


def test_a_context_verifies_and_trusts_only_the_given_ca(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(path)
    context = client_context(str(path))
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert context.cert_store_stats()["x509"] == 1
    assert not context.verify_flags & ssl.VERIFY_X509_STRICT


def test_without_a_file_the_systems_cas_are_used() -> None:
    context = client_context(None)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


@pytest.mark.parametrize("content", [None, b"", b"no certificate", b"-----BEGIN CERTIFICATE-----\nxx\n"])
def test_unusable_ca_files_are_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CutoverError) as caught:
        client_context(str(path))
    assert caught.value.code == "CUT-TLS-1"
    assert str(path) in caught.value.message
