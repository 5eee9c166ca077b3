# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Keyfiles: every key type serves and verifies for real, each rung of the ladder, files for their owner alone."""

from __future__ import annotations

import contextlib
import socket
import ssl
import stat
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.plugin_utils import _keyfile as keyfile
from ansible_collections.cutover.arangodb.plugins.plugin_utils import _x509 as certificates

NOW = datetime.now(timezone.utc)
RENEW = timedelta(days=30)
CA = certificates.make(certificates.Wanted("ca", "authority", days=3650), None, NOW)
SERVER = certificates.Wanted("server", "agent", ("localhost", "127.0.0.1"))


def signed(wanted: certificates.Wanted, now: datetime = NOW) -> bytes:
    return certificates.keyfile_pem(certificates.make(wanted, CA, now))


def reason(content: bytes | None, wanted: certificates.Wanted = SERVER) -> str:
    return keyfile.judge(content, wanted, CA, RENEW, NOW).reason


@pytest.mark.parametrize("key_type", certificates.KEY_TYPES)
def test_both_ends_verify_each_other_strictly(key_type: str, tmp_path: Path) -> None:
    authority = certificates.make(certificates.Wanted("ca", "authority", (), key_type), None, NOW)
    paths = {name: tmp_path / f"{name}.pem" for name in ("ca", "server", "client")}
    paths["ca"].write_bytes(certificates.certificates_pem(authority.chain))
    for kind, names in (("server", ("localhost", "127.0.0.1")), ("client", ())):
        pair = certificates.make(certificates.Wanted(kind, "me", names, key_type), authority, NOW)
        paths[kind].write_bytes(certificates.keyfile_pem(pair))
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(paths["ca"]))
    server.verify_mode = ssl.CERT_REQUIRED
    server.load_cert_chain(str(paths["server"]))
    client = ssl.create_default_context(cafile=str(paths["ca"]))
    for context in (server, client):
        context.verify_flags |= ssl.VERIFY_X509_STRICT
    client.load_cert_chain(str(paths["client"]))
    here, there = socket.socketpair()

    def serve() -> None:
        with contextlib.suppress(OSError), server.wrap_socket(there, server_side=True) as accepted:
            accepted.sendall(b"hello")

    thread = threading.Thread(target=serve)
    thread.start()
    with client.wrap_socket(here, server_hostname="127.0.0.1") as connected:
        assert connected.recv(5) == b"hello"
    thread.join(10)


def test_the_ladder_from_missing_to_fine() -> None:
    good = signed(SERVER)
    assert reason(None) == "missing"
    assert reason(b"nonsense") == "unparsable"
    assert reason(good[: len(good) // 2]) == "unparsable"
    assert reason(signed(certificates.Wanted("client", "agent", SERVER.names))) == "parameters"
    assert reason(signed(certificates.Wanted("server", "other", SERVER.names))) == "parameters"
    assert reason(signed(certificates.Wanted("server", "agent", ("localhost",)))) == "parameters"
    assert reason(signed(certificates.Wanted("server", "agent", SERVER.names, "ed25519"))) == "parameters"
    stranger = certificates.make(certificates.Wanted("ca", "authority"), None, NOW)
    assert reason(certificates.keyfile_pem(certificates.make(SERVER, stranger, NOW))) == "issuer"
    assert reason(signed(SERVER, NOW - timedelta(days=397 - 29))) == "expiring"
    assert reason(signed(SERVER, NOW - timedelta(days=397 - 31))) == "fine"
    assert reason(good) == "fine"


def test_the_order_and_case_of_names_change_nothing() -> None:
    assert reason(signed(SERVER), certificates.Wanted("server", "agent", ("127.0.0.1", "LOCALHOST"))) == "fine"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (lambda: certificates.certificates_pem(CA.chain), "0 private keys"),
        (lambda: certificates.keyfile_pem(certificates.Pair(CA.key, certificates.make(SERVER, CA, NOW).chain)),
         "does not belong"),
        (lambda: certificates.keyfile_pem(CA) + certificates.keyfile_pem(CA), "2 private keys"),
        (lambda: b"", "no usable certificate"),
    ],
)  # fmt: skip
def test_a_keyfile_that_cannot_be_used_says_why(content: object, text: str) -> None:
    with pytest.raises(CutoverError, match=text) as caught:
        certificates.read_keyfile(content(), "the file")  # type: ignore[operator]
    assert caught.value.code == "CUT-CERT-1"


def test_a_given_keyfile_is_checked_on_every_side() -> None:
    pair = certificates.make(certificates.Wanted("server", "agent", ("*.example.com", "192.0.2.1")), CA, NOW)

    def problems(
        kind: str = "server", names: tuple[str, ...] = (), ca: certificates.Pair = CA, now: datetime = NOW
    ) -> str:
        return " ".join(keyfile.check_given(pair, kind, names, ca.chain, now))

    assert problems(names=("a.example.com", "192.0.2.1")) == ""
    assert "is not for a.b.example.com (it is for" in problems(names=("a.b.example.com",))
    assert "not as client" in problems(kind="client")
    stranger = certificates.make(certificates.Wanted("ca", "authority"), None, NOW)
    assert "do not lead to" in problems(ca=stranger)
    assert "has expired" in problems(now=NOW + timedelta(days=400))
    assert "not valid before" in problems(now=NOW - timedelta(days=1))


def test_a_chain_over_another_ca_is_followed() -> None:
    between = certificates.make(certificates.Wanted("ca", "between"), CA, NOW)
    pair = certificates.make(SERVER, between, NOW)
    assert len(pair.chain) == 2
    assert certificates.leads_to(pair.chain, CA.chain)
    assert not certificates.leads_to(pair.chain[:1], CA.chain)


@pytest.mark.parametrize("name", ["", "a b", "-a", "a..b", "https://a", "a:8629", "x" * 254])
def test_bad_names_are_refused_by_field(name: str) -> None:
    with pytest.raises(CutoverError, match="subject_alt_names") as caught:
        certificates.general_name(name, "subject_alt_names")
    assert caught.value.details == {"field": "subject_alt_names"}


def test_files_belong_to_their_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.keyfile"
    keyfile.write(path, b"first", keyfile.KEY_MODE)
    kept = keyfile.backup(path, b"first", NOW)
    keyfile.write(path, b"second", keyfile.KEY_MODE)
    assert (path.read_bytes(), Path(kept).read_bytes()) == (b"second", b"first")
    assert {stat.S_IMODE(item.stat().st_mode) for item in tmp_path.iterdir()} == {0o600}
    path.chmod(0o644)
    assert keyfile.mode_differs(path, keyfile.KEY_MODE)
    with pytest.raises(CutoverError, match="No such file") as caught:
        keyfile.write(tmp_path / "missing" / "a", b"", keyfile.KEY_MODE)
    assert caught.value.code == "CUT-CERT-5"


def test_what_is_shown_holds_no_key() -> None:
    shown = certificates.describe(certificates.make(SERVER, CA, NOW).certificate)
    assert shown["subject_alt_names"] == ["127.0.0.1", "localhost"]
    assert shown["key_type"] == "ecdsa-p256"
    assert "PRIVATE" not in str(shown)
