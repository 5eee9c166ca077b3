# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Prechecks of what was given: options, secret and CA files. They need no server."""

from __future__ import annotations

import os
import stat

from ..._core.errors import CutoverError
from ..selection import TORN_ROW
from .context import Context
from .outcome import Outcome, Row, bad, good, listed


def _options(context: Context) -> Outcome:
    return good("the start request is well formed", config_digest=context.spec.config_digest)


def _secret(context: Context) -> Outcome:
    try:
        secret = context.source.secret()
    except CutoverError as error:
        return bad(error.message, remedy=error.remedy)
    return good("the JWT secret file can be used", bytes=len(secret))


def _secret_private(context: Context) -> Outcome:
    path = context.environment.source_jwt_secret_path
    try:
        mode = stat.S_IMODE(os.stat(path).st_mode)
    except OSError:
        return good("there is no such file; see input-secret")
    if mode & 0o077:
        return bad(f"{path} can be read or written by others (mode {mode:04o})", mode=f"{mode:04o}")
    return good("only its owner can read the JWT secret file", mode=f"{mode:04o}")


def _ca(context: Context, side: str) -> Outcome:
    facts, path = (
        (context.source, context.spec.source_ca_path)
        if side == "source"
        else (context.target, context.spec.target_ca_path)
    )
    try:
        facts.trust()
    except CutoverError as error:
        return bad(f"{side}_ca_path: {error.message}", remedy=error.remedy, path=path)
    return good(f"{side}_ca_path can be used" if path else f"{side}: the system's CAs are used", path=path)


def _plaintext(context: Context) -> Outcome:
    plain = [one.url for one in context.spec.source_endpoints if one.scheme == "http"]
    if plain and not context.spec.allow_plaintext_source:
        return bad(f"source_endpoints: superuser tokens would travel without TLS to {listed(plain)}", endpoints=plain)
    return good("no superuser token travels without TLS unless that was allowed", endpoints=plain)


def _target_plaintext(context: Context) -> Outcome:
    plain = [one.url for one in context.spec.target_endpoints if one.scheme == "http"]
    if plain:
        return bad(f"target_endpoints: password and data would travel without TLS to {listed(plain)}", endpoints=plain)
    return good("the target is reached by TLS")


def _accept(context: Context) -> Outcome:
    known = context.known_rows
    # Findings of a running migration are accepted by their codes.
    # What is torn apart is accepted one by one.
    others = ("CUT-", f"{TORN_ROW}:")
    wrong = sorted(name for name in context.spec.accepted if name not in known and not name.startswith(others))
    firm = sorted(name for name in context.spec.accepted if name in known and not known[name])
    if wrong or firm:
        parts = [f"not known: {listed(wrong)}"] * bool(wrong) + [f"cannot be accepted: {listed(firm)}"] * bool(firm)
        return bad(f"accept: {'; '.join(parts)}", unknown=wrong, not_acceptable=firm)
    return good("every accepted id is known")


ROWS = (
    Row(
        "input-options", "input", "error", "The options are complete and valid", _options,
        "Correct the option that the message names.", acceptable=False,
        why="A misspelt or contradictory option must not become a half-understood migration.",
    ),
    Row(
        "input-secret", "input", "error", "The source's JWT secret file is usable", _secret,
        "Give the file that the source cluster was started with (--server.jwt-secret-keyfile).", acceptable=False,
        why="Every DB-Server of the source is read with superuser tokens made from this secret; ArangoDB "
        "takes at most 64 bytes after trimming blanks and line ends.",
    ),
    Row(
        "input-secret-private", "input", "warning", "Only its owner can read the JWT secret file", _secret_private,
        "Run chmod 0600 on the file: whoever reads it is superuser of the source.",
        why="Whoever can read the file can do everything on the source.",
    ),
    Row(
        "input-source-ca", "input", "error", "The source's CA file is usable", lambda context: _ca(context, "source"),
        "Give the path of a readable PEM file with the CA of the source's certificates.", acceptable=False,
        why="TLS to the source is always verified, against these certificates only.",
    ),
    Row(
        "input-target-ca", "input", "error", "The target's CA file is usable", lambda context: _ca(context, "target"),
        "Give the path of a readable PEM file with the CA of the target's certificate.", acceptable=False,
        why="TLS to the target is always verified, against these certificates only.",
    ),
    Row(
        "input-source-plaintext", "input", "error", "Superuser tokens travel by TLS", _plaintext,
        "Use https:// (or ssl://) endpoints, or set allow_plaintext_source where the network between is trusted.",
        acceptable=False,
        why="A superuser token that travels without TLS can be taken and used by anyone on the way.",
    ),
    Row(
        "input-target-plaintext", "input", "warning", "The target is reached by TLS", _target_plaintext,
        "Use https:// endpoints.",
        why="The target's password and all data would travel readable.",
    ),
    Row(
        "input-accept", "input", "error", "Every accepted id is a precheck that can be accepted", _accept,
        "Correct the ids in accept; docs/prechecks.md lists them.", acceptable=False,
        why="An acceptance of something that does not exist is most likely a misspelt one.",
    ),
)  # fmt: skip
