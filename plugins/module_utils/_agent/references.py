# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Secrets on the command line are references: file:PATH or env:NAME, never the secret itself."""
from __future__ import annotations

import argparse
import os
import re
from typing import Mapping, NoReturn

from .._core.errors import CutoverError
from .._core.redact import register_secret

MAX_SECRET_FILE = 64 << 10
_WITHOUT_VALUE = re.compile(r"(--[\w-]+\.(?:token|password|api-secret))\b.*: expected one argument")


class Parser(argparse.ArgumentParser):
    """A parser that knows that a secret in argv may look like a flag."""

    def error(self, message: str) -> NoReturn:
        """Exit with 2; a secret that begins with a dash is taken for the next flag, so its own flag has no value."""
        found = _WITHOUT_VALUE.search(message)
        if found:
            message = f"{message}\n{CutoverError('CUT-AGENT-30', _refusal(found[1]))}"
        super().error(message)


def _refusal(flag: str) -> str:
    return f"{flag} takes file:PATH or env:NAME, not the secret itself"


def content_of(flag: str, path: str) -> str:
    """The text of a file; raises CUT-AGENT-31."""
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read(MAX_SECRET_FILE).strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        raise CutoverError("CUT-AGENT-31", f"{flag}: reading {path}: {reason}") from error


def resolve(flag: str, reference: str, environment: Mapping[str, str] | None = None) -> str:
    """The secret that `reference` names; raises CUT-AGENT-30 for a bare secret, CUT-AGENT-31 for a broken reference.

    What was given is never repeated in the error: it may be the secret.
    """
    variables = os.environ if environment is None else environment
    kind, colon, name = reference.partition(":")
    if not colon or kind not in ("file", "env") or not name:
        raise CutoverError("CUT-AGENT-30", _refusal(flag))
    value = variables.get(name, "") if kind == "env" else content_of(flag, name)
    if not value:
        raise CutoverError("CUT-AGENT-31", f"{flag}: {kind} {name} is empty or absent")
    register_secret(value)
    return value
