# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The role `certificates` before the role `agent`, and keyfiles of somebody else that cannot be used."""

from __future__ import annotations

import stat
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from ansible_collections.cutover.arangodb.plugins.plugin_utils import _x509 as certificates
from tests.roles.conftest import Host
from tests.roles.test_role_agent import pid_of

# Each test starts many processes one after another; on a busy machine that takes minutes.
pytestmark = pytest.mark.timeout(600)
NOW = datetime.now(timezone.utc)


@pytest.fixture
def made_here(host: Host) -> Path:
    """The directory of certificates of a host for which none are given."""
    directory = host.directory / "certificates"
    for name in ("agent_tls_keyfile_source", "agent_tls_ca_source"):
        del host.variables[name]
    host.variables |= {"certificates_directory": str(directory), "certificates_clients": ["ops", "auditors"]}
    return directory


def test_check_make_again_renew(host: Host, made_here: Path) -> None:
    checked = host.play("deploy_agent", "--check", "--diff")
    assert checked.code == 0, checked.output
    assert not made_here.exists()
    assert list(host.install_path("").iterdir()) == []

    first = host.play("deploy_agent", "--diff", "-vvv", certificates_valid_days=100)
    assert first.code == 0, first.output
    assert "PRIVATE KEY" not in first.output
    assert {path.name for path in made_here.iterdir()} == {
        "ca.keyfile", "ca.pem", "localhost.keyfile",
        "client-ca.keyfile", "client-ca.pem", "client-ops.keyfile", "client-auditors.keyfile",
    }  # fmt: skip
    modes = {path.suffix: stat.S_IMODE(path.stat().st_mode) for path in made_here.iterdir()}
    assert modes == {".keyfile": 0o600, ".pem": 0o644}
    pid = pid_of(host)

    again = host.play("deploy_agent", certificates_valid_days=100)
    assert (again.code, again.changed) == (0, 0), again.output

    before = {path.name: path.read_bytes() for path in made_here.iterdir()}
    renewed = host.play("deploy_agent", certificates_renew_before=150)
    assert renewed.code == 0, renewed.output
    after = {path.name: path.read_bytes() for path in made_here.iterdir()}
    fresh = {name for name, content in after.items() if content != before[name]}
    assert fresh == {"localhost.keyfile", "client-ops.keyfile", "client-auditors.keyfile"}
    assert pid_of(host) != pid


def test_a_ca_of_ones_own_signs(host: Host, made_here: Path) -> None:
    authority = certificates.make(certificates.Wanted("ca", "company", days=3650), None, NOW)
    given = host.directory / "company.keyfile"
    given.write_bytes(certificates.keyfile_pem(authority))
    played = host.play("deploy_agent", certificates_ca_keyfile=str(given), certificates_clients=[])
    assert played.code == 0, played.output
    pair = certificates.read_keyfile((made_here / "localhost.keyfile").read_bytes(), "made")
    assert certificates.leads_to(pair.chain, authority.chain)
    assert not (made_here / "ca.keyfile").exists()
    assert (made_here / "ca.pem").read_bytes() == certificates.certificates_pem(authority.chain)


def test_keyfiles_that_cannot_be_used_are_refused_before_anything_is_touched(host: Host) -> None:
    authority, stranger = (
        certificates.make(certificates.Wanted("ca", name, days=3650), None, NOW) for name in ("ours", "theirs")
    )
    names = ("127.0.0.1", "localhost")
    server = certificates.Wanted("server", "agent", names)
    good = certificates.make(server, authority, NOW)
    other = certificates.Wanted("server", "x", ("other.example.com",))
    cases = {
        "is not for 127.0.0.1": certificates.make(other, authority, NOW),
        "has expired": certificates.make(server, authority, NOW - timedelta(days=400)),
        "do not lead to": certificates.make(server, stranger, NOW),
        "not as server": certificates.make(certificates.Wanted("client", "x", names), authority, NOW),
        "does not belong to its first certificate": certificates.Pair(stranger.key, good.chain),
    }
    ca, keyfile = host.directory / "ours.pem", host.directory / "given.keyfile"
    ca.write_bytes(certificates.certificates_pem(authority.chain))
    for text, pair in cases.items():
        keyfile.write_bytes(certificates.keyfile_pem(pair))
        refused = host.play("deploy_agent", agent_tls_keyfile_source=str(keyfile), agent_tls_ca_source=str(ca))
        assert refused.code != 0, text
        assert text in " ".join(refused.output.split()), refused.output
        assert list(host.install_path("").iterdir()) == []
    client = host.directory / "client.keyfile"
    client.write_bytes(certificates.keyfile_pem(certificates.make(certificates.Wanted("client", "x"), stranger, NOW)))
    refused = host.play("deploy_agent", agent_client_ca_source=str(ca), agent_client_keyfile_source=str(client))
    assert "do not lead to" in refused.output
    assert list(host.install_path("").iterdir()) == []
