# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Takes secrets out of texts before they reach a log, an error or a status."""

from __future__ import annotations

import base64
import json
import re
import threading
import urllib.parse

MASK = "********"
# Shorter values would mask ordinary letters everywhere and so show the value by its absence.
_MIN_LENGTH = 4
_PATTERNS = (
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{4,}"), rf"\1 {MASK}"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"), MASK),
    (re.compile(r"(://)[^/\s@]+@"), rf"\1{MASK}@"),
    (
        # Not masked, because people have to read them: "/run/secret: No such file", "target_password: is required".
        re.compile(
            r'(?i)((?:password|passwd|secret|token|authorization|jwt)"?\s*=\s*'
            r'|(?:password|passwd|authorization|(?<![/.])(?:secret|token|jwt))"?\s*:\s*(?!(?:is|must|needs) ))'
            r'("(?:[^"\\]|\\.)*"|[^\s,;}&]+)'
        ),
        rf"\1{MASK}",
    ),
)


class Redactor:
    """Masks registered secrets, in the forms in which they travel, and whatever looks like a credential."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._secrets: set[str] = set()

    def register(self, secret: str) -> None:
        """Remember a secret, plain and as JSON, URL and base64 text. Very short values are not remembered."""
        if len(secret) < _MIN_LENGTH:
            return
        raw = secret.encode("utf-8", "surrogateescape")
        forms = {secret, json.dumps(secret)[1:-1], urllib.parse.quote(raw, safe=""), base64.b64encode(raw).decode()}
        with self._lock:
            self._secrets |= forms

    def redact(self, text: str) -> str:
        """The text with every secret replaced by a mask."""
        with self._lock:
            secrets = sorted(self._secrets, key=len, reverse=True)
        for secret in secrets:
            text = text.replace(secret, MASK)
        for pattern, replacement in _PATTERNS:
            text = pattern.sub(replacement, text)
        return text


_SHARED = Redactor()


def register_secret(secret: str) -> None:
    """Make every later ``redact`` of this process mask the value."""
    _SHARED.register(secret)


def redact(text: str) -> str:
    """The text without registered secrets and without anything that looks like a credential."""
    return _SHARED.redact(text)
