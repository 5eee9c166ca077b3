# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ArangoDB's ``_rev``: a 64-bit number written in base 64 with an alphabet of its own (facts §5.9).

Texts must never be compared: the alphabet is not in ASCII order.
"""

from __future__ import annotations

_ALPHABET = "-_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_VALUES = {character: value for value, character in enumerate(_ALPHABET)}
_MAX = 2**64 - 1
_MAX_LENGTH = 11


def decode(text: str) -> int:
    """The number of a ``_rev``. A text that begins with 1 to 9 is an old decimal revision.

    Raises ``ValueError`` for anything that is no revision.
    """
    if text[:1] in "123456789" and text:
        if not (text.isascii() and text.isdigit()):
            raise ValueError(f"not a revision: {text!r}")
        value = int(text)
        if value > _MAX:
            raise ValueError(f"revision out of range: {text!r}")
        return value
    return decode_clock(text)


def decode_clock(text: str) -> int:
    """The number of a time stamp of the hybrid logical clock, without the rule for old decimal revisions."""
    if not text or len(text) > _MAX_LENGTH:
        raise ValueError(f"not a revision: {text!r}")
    value = 0
    try:
        for character in text:
            value = (value << 6) | _VALUES[character]
    except KeyError:
        raise ValueError(f"not a revision: {text!r}") from None
    if value > _MAX:
        raise ValueError(f"revision out of range: {text!r}")
    return value


def encode(value: int) -> str:
    """The text of a revision's number, most significant digit first, without padding."""
    if not 0 <= value <= _MAX:
        raise ValueError(f"revision out of range: {value}")
    digits = []
    while value:
        digits.append(_ALPHABET[value & 63])
        value >>= 6
    return "".join(reversed(digits)) or _ALPHABET[0]


def newer(first: str, second: str) -> bool:
    """True when the revision ``first`` is newer than ``second``."""
    return decode(first) > decode(second)


def milliseconds(value: int) -> int:
    """The time since 1970 at which a revision was made, in milliseconds."""
    return value >> 20
