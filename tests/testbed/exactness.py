# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How exactly servers print large doubles: before 3.11.12 and 3.12.3 as integers that are a little off (facts §5.8)."""

from __future__ import annotations

import re

_LOW, _HIGH = 2.0**53, 2.0**64
_DIGITS = 15  # that are right
# A text, which is passed over, or a number with a fraction or an exponent.
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+(?:[eE][+-]?\d+)?|[eE][+-]?\d+)')
_SUSPECT = re.compile(rb"\d[.eE][\d+-]")


def is_exact(version: tuple[int, int, int]) -> bool:
    """Whether servers of a version print doubles from 2^53 on so that they can be read back."""
    return version >= (3, 12, 3) or (3, 11, 12) <= version < (3, 12, 0)


def inexact(raw: bytes) -> bytes:
    """A document as older servers print it."""
    return _TOKEN.sub(_replacement, raw) if _SUSPECT.search(raw) else raw


def _replacement(match: re.Match[bytes]) -> bytes:
    text = match.group()
    if text[:1] == b'"':
        return text
    value = float(text)
    if not _LOW <= abs(value) < _HIGH:
        return text
    return b"%d" % int(float(f"{value:.{_DIGITS - 1}e}"))
