# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The listener's TLS context from an ArangoDB keyfile (certificate and key in one PEM)."""
from __future__ import annotations

import ssl
from pathlib import Path

from .._core.errors import CutoverError


def server_context(keyfile: Path, client_ca: Path | None, tokens_accepted: bool) -> ssl.SSLContext:
    """TLS 1.2 or newer; client certificates are demanded, or only welcome where a token will do as well.

    Raises CUT-AGENT-4 naming the file that cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    try:
        # A keyfile with a passphrase must fail, not ask on a terminal that nobody watches.
        context.load_cert_chain(str(keyfile), password=lambda: b"")
    except (OSError, ssl.SSLError) as error:
        raise CutoverError("CUT-AGENT-4", f"tls_keyfile {keyfile}: {_reason(error)}") from error
    if client_ca is not None:
        try:
            context.load_verify_locations(str(client_ca))
        except (OSError, ssl.SSLError) as error:
            raise CutoverError("CUT-AGENT-4", f"client_ca {client_ca}: {_reason(error)}") from error
        context.verify_mode = ssl.CERT_OPTIONAL if tokens_accepted else ssl.CERT_REQUIRED
    return context


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return f"not a usable PEM file ({error.reason or 'no certificate or key found'})"
    return error.strerror or "cannot be read"


def subject_of(connection: ssl.SSLSocket) -> str | None:
    """Common name of the verified client certificate, its serial number where it has none, None without one."""
    certificate = connection.getpeercert()
    if not certificate:
        return None
    for relative_name in certificate.get("subject", ()):
        for entry in relative_name:
            if entry[0] == "commonName":
                return str(entry[1])
    return f"certificate {certificate.get('serialNumber', 'without a name')}"
