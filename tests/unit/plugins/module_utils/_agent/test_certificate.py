# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The end of a certificate as another implementation reads it."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

import pytest
import requests
import trustme
from cryptography import x509

from ansible_collections.cutover.arangodb.plugins.module_utils._agent.certificate import valid_until
from tests.unit.agent_fakes import TOKENS, Certificates, RunningAgent, agent_config, running_agent


def test_the_first_certificate_of_a_keyfile_counts(tmp_path: Path) -> None:
    """Key first, then the certificate that is shown, then its issuer, which ends later."""
    authority = trustme.CA()
    issuer = authority.create_child_ca()
    issued = issuer.issue_cert("agent.example.com", not_after=datetime(2031, 2, 3, 4, 5, 6, tzinfo=timezone.utc))
    keyfile = tmp_path / "agent.keyfile"
    issued.private_key_and_cert_chain_pem.write_to_path(keyfile)
    assert keyfile.read_text().count("BEGIN CERTIFICATE") > 1
    assert valid_until(keyfile) == datetime(2031, 2, 3, 4, 5, 6, tzinfo=timezone.utc).timestamp()


@pytest.mark.parametrize("year", [1999, 2049, 2050, 9999])
@pytest.mark.parametrize("kind", [trustme.KeyType.RSA, trustme.KeyType.ECDSA])
def test_both_forms_of_a_time(tmp_path: Path, year: int, kind: trustme.KeyType) -> None:
    end = datetime(year, 12, 31, 23, 59, 59, tzinfo=timezone.utc)
    start = datetime(1990, 1, 1, tzinfo=timezone.utc)
    certificate = trustme.CA(key_type=kind).issue_cert("a", not_before=start, not_after=end, key_type=kind)
    keyfile = tmp_path / "agent.keyfile"
    certificate.private_key_and_cert_chain_pem.write_to_path(keyfile)
    read = x509.load_pem_x509_certificate(certificate.cert_chain_pems[0].bytes())
    assert valid_until(keyfile) == end.timestamp() == read.not_valid_after_utc.timestamp()


def test_what_cannot_be_read_is_not_known(certificates: Certificates, tmp_path: Path) -> None:
    lines = certificates.server_keyfile.read_text().splitlines()
    whole = base64.b64decode("".join(lines[lines.index("-----BEGIN CERTIFICATE-----") + 1 :]).partition("-----")[0])
    keyfile = tmp_path / "agent.keyfile"
    assert valid_until(keyfile) is None
    for content in (b"", b"no certificate", *(whole[:length] for length in range(0, 120, 7)), b"0" * 300, b"\xff" * 9):
        text = base64.b64encode(content).decode()
        keyfile.write_text(f"-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
        assert valid_until(keyfile) is None, content
    keyfile.write_text("nothing of the kind")
    assert valid_until(keyfile) is None


def shown_until(agent: RunningAgent, authority: Path) -> float | None:
    """What the agent's metrics say."""
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(
            f"https://127.0.0.1:{agent.port}/metrics", verify=str(authority), timeout=30,
            headers={"Authorization": f"Bearer {TOKENS['read']}"},
        )  # fmt: skip
    found = re.search(r"^cutover_agent_certificate_expires_timestamp_seconds (\d+)$", answer.text, re.MULTILINE)
    return float(found.group(1)) if found else None


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_metrics_tell_the_end_of_the_certificate_in_use(
    certificates: Certificates, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A renewed one counts when it was read; one that cannot be used changes nothing."""
    authority, keyfile, ca_path = trustme.CA(), tmp_path / "agent.keyfile", tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(ca_path)

    def renew(year: int) -> float:
        end = datetime(year, 6, 1, tzinfo=timezone.utc)
        authority.issue_cert("127.0.0.1", not_after=end).private_key_and_cert_chain_pem.write_to_path(keyfile)
        return end.timestamp()

    first = renew(2061)
    with running_agent(agent_config(certificates, tmp_path, tls_keyfile=keyfile), certificates) as agent:
        assert shown_until(agent, ca_path) == first
        renew(2062)
        keyfile.write_text(keyfile.read_text().replace("PRIVATE KEY", "PUBLIC KEY"))
        agent.service.reload()
        until(lambda: "the old certificates stay in use" in caplog.text)
        assert shown_until(agent, ca_path) == first
        second = renew(2063)
        agent.service.reload()
        until(lambda: shown_until(agent, ca_path) == second)
