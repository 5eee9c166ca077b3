# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making and reading certificates with their keys, in ArangoDB's keyfile form: both in one PEM."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Callable, Union

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError

try:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    Certificate = x509.Certificate
    Key = Union[ec.EllipticCurvePrivateKey, ed25519.Ed25519PrivateKey, rsa.RSAPrivateKey]
    _MAKERS: dict[str, Callable[[], Key]] = {
        "ecdsa-p256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "ecdsa-p384": lambda: ec.generate_private_key(ec.SECP384R1()),
        "ed25519": ed25519.Ed25519PrivateKey.generate,
        "rsa-3072": lambda: rsa.generate_private_key(65537, 3072),
        "rsa-4096": lambda: rsa.generate_private_key(65537, 4096),
    }
    HAS_CRYPTOGRAPHY = True
except ImportError:
    HAS_CRYPTOGRAPHY = False

KINDS = ("ca", "server", "client")
KEY_TYPES = ("ecdsa-p256", "ecdsa-p384", "ed25519", "rsa-3072", "rsa-4096")
# Clocks of hosts differ; a certificate made now must be valid there, too.
_LEEWAY = timedelta(minutes=5)
_HOST = re.compile(r"(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*", re.IGNORECASE)
_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)


@dataclass(frozen=True)
class Wanted:
    """How a certificate is to be. ``names`` are host names and addresses as texts, ``days`` its life."""

    kind: str
    common_name: str
    names: tuple[str, ...] = ()
    key_type: str = "ecdsa-p256"
    days: int = 397


@dataclass(frozen=True)
class Pair:
    """A private key and its certificate, followed by the certificates between it and the root."""

    key: Key
    chain: tuple[x509.Certificate, ...]

    @property
    def certificate(self) -> x509.Certificate:
        """The certificate of the key."""
        return self.chain[0]


def require_library() -> None:
    """Raise CUT-CERT-4 when the controller lacks cryptography."""
    if not HAS_CRYPTOGRAPHY:
        raise CutoverError("CUT-CERT-4", "the Python library cryptography is missing on the controller")


def general_name(text: str, field: str) -> x509.GeneralName:
    """An address or a host name; raises CUT-CERT-3 with ``field`` for anything else."""
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        pass
    if not _HOST.fullmatch(text) or len(text) > 253:
        raise CutoverError(
            "CUT-CERT-3", f"{field}: {text!r} is neither a host name nor an address", details={"field": field}
        )
    return x509.DNSName(text.lower())


def make(wanted: Wanted, issuer: Pair | None, now: datetime) -> Pair:
    """A new key with its certificate; ``issuer`` None signs itself."""
    key = _MAKERS[wanted.key_type]()
    signer = issuer.key if issuer else key
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, wanted.common_name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _LEEWAY)
        .not_valid_after(now + timedelta(days=wanted.days))
    )
    for extension, critical in _extensions(wanted, key, signer):
        builder = builder.add_extension(extension, critical)
    algorithm = None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    certificate = builder.sign(signer, algorithm)
    between = [item for item in issuer.chain if not _is_root(item)] if issuer else []
    return Pair(key, (certificate, *between))


def _extensions(wanted: Wanted, key: Key, signer: Key) -> list[tuple[x509.ExtensionType, bool]]:
    """What Python 3.13 asks for when it verifies: key identifiers and the use of the key."""
    authority = wanted.kind == "ca"
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=False, data_encipherment=False, key_agreement=False,
        key_encipherment=isinstance(key, rsa.RSAPrivateKey) and not authority,
        key_cert_sign=authority, crl_sign=authority, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    found: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=authority, path_length=0 if authority else None), True),
        (usage, True),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False),
    ]
    if not authority:
        server = wanted.kind == "server"
        use = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
        found.append((x509.ExtendedKeyUsage([use]), False))
    if wanted.names:
        names = [general_name(name, "subject_alt_names") for name in wanted.names]
        found.append((x509.SubjectAlternativeName(names), False))
    return found


def _is_root(certificate: x509.Certificate) -> bool:
    return certificate.issuer == certificate.subject


def certificates_pem(chain: tuple[x509.Certificate, ...]) -> bytes:
    """Certificates as PEM, one after another."""
    return b"".join(item.public_bytes(serialization.Encoding.PEM) for item in chain)


def keyfile_pem(pair: Pair) -> bytes:
    """ArangoDB's keyfile: certificates, then the unencrypted key."""
    key = pair.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificates_pem(pair.chain) + key


def read_certificates(content: bytes, where: str) -> tuple[x509.Certificate, ...]:
    """Every certificate of a PEM; raises CUT-CERT-1 when there is none or one is broken."""
    try:
        return tuple(x509.load_pem_x509_certificates(content))
    except ValueError as error:
        raise CutoverError("CUT-CERT-1", f"{where} holds no usable certificate in PEM form") from error


def read_keyfile(content: bytes, where: str) -> Pair:
    """Certificates and key of a keyfile, in any order; raises CUT-CERT-1 saying what is missing or does not fit."""
    chain = read_certificates(content, where)
    blocks = [found.group(0) for found in _BLOCK.finditer(content) if found.group(1).endswith(b"PRIVATE KEY")]
    if len(blocks) != 1:
        raise CutoverError("CUT-CERT-1", f"{where} holds {len(blocks)} private keys instead of one")
    try:
        key = serialization.load_pem_private_key(blocks[0], None)
    except TypeError as error:
        raise CutoverError("CUT-CERT-1", f"the private key of {where} is encrypted") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise CutoverError("CUT-CERT-1", f"the private key of {where} cannot be used") from error
    if not isinstance(key, (ec.EllipticCurvePrivateKey, ed25519.Ed25519PrivateKey, rsa.RSAPrivateKey)):
        raise CutoverError("CUT-CERT-1", f"the private key of {where} is neither ECDSA, Ed25519 nor RSA")
    if _public(key.public_key()) != _public(chain[0].public_key()):
        raise CutoverError("CUT-CERT-1", f"the private key of {where} does not belong to its first certificate")
    return Pair(key, chain)


def _public(key: Any) -> bytes:
    encoded: bytes = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return encoded


def leads_to(chain: tuple[x509.Certificate, ...], authorities: tuple[x509.Certificate, ...]) -> bool:
    """Whether each certificate is signed by the next one, and the last by one of ``authorities`` (or is it)."""
    for item, signer in zip(chain, chain[1:]):
        if not _signed_by(item, signer):
            return False
    return chain[-1] in authorities or any(_signed_by(chain[-1], authority) for authority in authorities)


def _signed_by(certificate: x509.Certificate, signer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(signer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def names_of(certificate: x509.Certificate) -> tuple[str, ...]:
    """Host names and addresses of the certificate, sorted."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    addresses = map(str, found.get_values_for_type(x509.IPAddress))
    return tuple(sorted([*found.get_values_for_type(x509.DNSName), *addresses]))


def covers(certificate: x509.Certificate, name: str) -> bool:
    """Whether the certificate is good for a host name (also by ``*.``) or an address."""
    wanted = str(general_name(name, "subject_alt_names").value).lower()
    parent = wanted.partition(".")[2]
    held = {item.lower() for item in names_of(certificate)}
    return wanted in held or (bool(parent) and f"*.{parent}" in held)


def common_name_of(certificate: x509.Certificate) -> str:
    """Its subject's common name, empty when there is none."""
    found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else ""


def kind_of(certificate: x509.Certificate) -> str:
    """``ca``, ``server``, ``client``, ``any`` (not restricted) or ``both``."""
    extensions = certificate.extensions
    try:
        if extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            return "ca"
    except x509.ExtensionNotFound:
        pass
    try:
        uses = set(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
    except x509.ExtensionNotFound:
        return "any"
    server, client = ExtendedKeyUsageOID.SERVER_AUTH in uses, ExtendedKeyUsageOID.CLIENT_AUTH in uses
    if server and client:
        return "both"
    return "server" if server else "client"


def key_type_of(certificate: x509.Certificate) -> str:
    """One of ``KEY_TYPES``, or the like for other sizes and curves."""
    key = certificate.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        return {"secp256r1": "ecdsa-p256", "secp384r1": "ecdsa-p384"}.get(key.curve.name, f"ecdsa-{key.curve.name}")
    if isinstance(key, rsa.RSAPublicKey):
        return f"rsa-{key.key_size}"
    return "ed25519" if isinstance(key, ed25519.Ed25519PublicKey) else "other"


def describe(certificate: x509.Certificate) -> dict[str, Any]:
    """What may be shown of a certificate."""
    return {
        "kind": kind_of(certificate),
        "subject": certificate.subject.rfc4514_string(),
        "issuer": certificate.issuer.rfc4514_string(),
        "subject_alt_names": list(names_of(certificate)),
        "not_before": certificate.not_valid_before_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "not_after": certificate.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "serial": f"{certificate.serial_number:x}",
        "key_type": key_type_of(certificate),
        "fingerprint": certificate.fingerprint(hashes.SHA256()).hex(":"),
    }
