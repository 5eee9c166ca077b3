# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a keyfile must be made anew, and putting it in place: one ladder for check mode and for real."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.plugin_utils import _x509 as certificates

KEY_MODE = 0o600
CERTIFICATE_MODE = 0o644


@dataclass(frozen=True)
class Verdict:
    """``reason`` is ``missing``, ``unparsable``, ``parameters``, ``issuer``, ``expiring`` or ``fine``."""

    reason: str
    text: str = ""

    @property
    def fine(self) -> bool:
        """Nothing has to be made."""
        return self.reason == "fine"


def read(path: Path) -> bytes | None:
    """The file's content, None when there is none; raises CUT-CERT-1."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CutoverError("CUT-CERT-1", f"reading {path}: {error.strerror}") from error


def judge(
    content: bytes | None,
    wanted: certificates.Wanted,
    issuer: certificates.Pair | None,
    renew: timedelta,
    now: datetime,
) -> Verdict:
    """The first rung of the ladder on which the present keyfile stands."""
    if content is None:
        return Verdict("missing", "there is no keyfile")
    try:
        pair = certificates.read_keyfile(content, "the keyfile")
    except CutoverError as error:
        return Verdict("unparsable", error.message)
    different = _differences(pair.certificate, wanted)
    if different:
        return Verdict("parameters", "; ".join(different))
    if issuer is not None and not certificates.leads_to(pair.chain, issuer.chain):
        return Verdict("issuer", "it was signed by another CA")
    ends = pair.certificate.not_valid_after_utc
    if ends - now <= renew:
        return Verdict("expiring", f"it is valid until {ends:%Y-%m-%d %H:%M} UTC")
    return Verdict("fine")


def _differences(certificate: certificates.Certificate, wanted: certificates.Wanted) -> list[str]:
    names = tuple(sorted(str(certificates.general_name(name, "subject_alt_names").value) for name in wanted.names))
    pairs = {
        "kind": (certificates.kind_of(certificate), wanted.kind),
        "common_name": (certificates.common_name_of(certificate), wanted.common_name),
        "subject_alt_names": (certificates.names_of(certificate), names),
        "key_type": (certificates.key_type_of(certificate), wanted.key_type),
    }
    return [f"{field} is {is_now!r}, wanted is {then!r}" for field, (is_now, then) in pairs.items() if is_now != then]


def check_given(
    pair: certificates.Pair,
    kind: str,
    names: tuple[str, ...],
    authorities: tuple[certificates.Certificate, ...],
    now: datetime,
) -> list[str]:
    """What is wrong with a keyfile that somebody else has made; empty when it can be used."""
    certificate = pair.certificate
    problems = []
    found = certificates.kind_of(certificate)
    if found != kind and not (kind != "ca" and found in ("any", "both")):
        problems.append(f"its certificate is for use as {found}, not as {kind}")
    missing = [name for name in names if not certificates.covers(certificate, name)]
    if missing:
        held = ", ".join(certificates.names_of(certificate)) or "no name at all"
        problems.append(f"its certificate is not for {', '.join(missing)} (it is for {held})")
    if authorities and not certificates.leads_to(pair.chain, authorities):
        problems.append("its certificates do not lead to a certificate of ca_path")
    if now > certificate.not_valid_after_utc:
        problems.append(f"its certificate has expired at {certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC")
    if now < certificate.not_valid_before_utc:
        problems.append(f"its certificate is not valid before {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC")
    return problems


def mode_differs(path: Path, mode: int) -> bool:
    """Whether an existing file has other permissions."""
    try:
        return stat.S_IMODE(path.stat().st_mode) != mode
    except FileNotFoundError:
        return False
    except OSError as error:
        raise CutoverError("CUT-CERT-1", f"reading {path}: {error.strerror}") from error


def backup(path: Path, content: bytes, now: datetime) -> str:
    """Keep the old content beside the file, readable for its owner alone; gives the name."""
    name = path.with_name(f"{path.name}.{now:%Y-%m-%d@%H:%M:%S}~")
    write(name, content, KEY_MODE)
    return str(name)


def write(path: Path, content: bytes, mode: int) -> None:
    """Put ``content`` at ``path`` in one step; at no moment is it readable for others than ``mode`` says.

    Raises CUT-CERT-5.
    """
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
                os.fchmod(stream.fileno(), mode)
                os.fsync(stream.fileno())
            os.replace(temporary, path)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
    except OSError as error:
        raise CutoverError("CUT-CERT-5", f"writing {path}: {error.strerror}") from error
