# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""TLS settings of every outgoing connection: always verified."""

from __future__ import annotations

import ssl
from typing import Optional

from .errors import CutoverError

# ssl.VERIFY_X509_PARTIAL_CHAIN has a name only from Python 3.10 on.
_PARTIAL_CHAIN = 0x80000


def client_context(ca_path: Optional[str], ca_pem: Optional[str] = None) -> ssl.SSLContext:
    """A context that trusts only the certificates in the file ``ca_path`` or the text ``ca_pem`` (both PEM, at most one
    is given), or the system's CAs without either.

    Chain and host name are verified, TLS 1.2 is the least. The checks are the same on every Python: 3.13 would by
    default refuse certificates without key identifiers, which older Pythons and ArangoDB's own tools accept.
    Raises ``CutoverError`` CUT-TLS-1.
    """
    if ca_pem is not None and not ca_pem.strip():
        # Python would take it for none given, and trust the system's CAs.
        raise CutoverError("CUT-TLS-1", "the CA certificates that were given as text are empty")
    try:
        context = ssl.create_default_context(cafile=ca_path, cadata=ca_pem)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        what = f"file {ca_path}" if ca_path is not None else "certificates that were given as text"
        raise CutoverError("CUT-TLS-1", f"cannot use the CA {what}: {reason}") from error
    own = ca_path is not None or ca_pem is not None
    if own and context.cert_store_stats()["x509"] == 0:
        raise CutoverError("CUT-TLS-1", f"the CA file {ca_path} holds no certificate")
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    flags = context.verify_flags & ~ssl.VERIFY_X509_STRICT
    context.verify_flags = ssl.VerifyFlags(flags | (_PARTIAL_CHAIN if own else 0))
    return context


def holds_certificate(text: str) -> bool:
    """Whether a text is PEM with at least one certificate."""
    try:
        client_context(None, text)
    except CutoverError:
        return False
    return True
