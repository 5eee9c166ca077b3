# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Until when the agent's own certificate is valid: the standard library tells that of verified peers only."""
from __future__ import annotations

import re
import ssl
from datetime import datetime, timezone
from pathlib import Path
from typing import Iterator, Optional

_PEM = re.compile("-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
# Tags of DER (X.690), and the two forms of a time that RFC 5280 (4.1.2.5) knows.
_SEQUENCE = 0x30
_TIMES = {0x17: "%y%m%d%H%M%SZ", 0x18: "%Y%m%d%H%M%SZ"}


def _values(der: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of values that follow each other."""
    at = 0
    while at < len(der):
        tag, length = der[at], der[at + 1]
        at += 2
        if length > 0x80:
            size = length - 0x80
            length = int.from_bytes(der[at : at + size], "big")
            at += size
        yield tag, der[at : at + length]
        at += length


def _end(der: bytes) -> float:
    """The second time of the validity, which stands behind algorithm and issuer (RFC 5280, 4.1)."""
    _tag, certificate = next(_values(der))
    _tag, signed = next(_values(certificate))
    validity = [content for tag, content in _values(signed) if tag == _SEQUENCE][2]
    tag, text = list(_values(validity))[1]
    return datetime.strptime(text.decode("ascii"), _TIMES[tag]).replace(tzinfo=timezone.utc).timestamp()


def valid_until(keyfile: Path) -> Optional[float]:
    """Seconds since the epoch at which the first certificate ends, the one that is shown; None where none is read."""
    try:
        found = _PEM.search(keyfile.read_text(encoding="ascii", errors="replace"))
        return None if found is None else _end(ssl.PEM_cert_to_DER_cert(found.group()))
    except (OSError, ValueError, LookupError, StopIteration):
        return None
