# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Revisions: a hybrid logical clock of 44 bits of milliseconds and a 20 bit counter, and its text (facts §5.9)."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable

ALPHABET = "-_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_VALUE = {character: value for value, character in enumerate(ALPHABET)}
_COUNTER_BITS = 20
_LENGTH = 11  # characters of the revisions in use today
_PORTION = 10_000
_PAIRS = [high + low for high in ALPHABET for low in ALPHABET]  # twelve bits at once
# A text of eleven characters sorts like its number after this translation.
_SORTABLE = bytes.maketrans(ALPHABET.encode(), bytes(range(48, 48 + 64)))


def encode(value: int) -> str:
    """Text of a 64 bit revision, most significant first, no leading padding."""
    characters = []
    while value:
        characters.append(ALPHABET[value & 63])
        value >>= 6
    return "".join(reversed(characters))


def decode(text: str) -> int:
    """Number of a revision text; a first digit 1 to 9 marks an old decimal one; texts of other characters give 0."""
    if text[:1] in "123456789" and text.isdecimal():
        return int(text)
    value = 0
    for character in text:
        digit = _VALUE.get(character)
        if digit is None:
            return 0
        value = (value << 6) | digit
    return value & 0xFFFFFFFFFFFFFFFF


def sort_key(text: str) -> bytes:
    """A key that orders revision texts as their numbers do, for the texts of eleven characters in use today."""
    return text.rjust(_LENGTH, "-").encode().translate(_SORTABLE)


def is_ordered(texts: list[str]) -> bool:
    """Whether revision texts stand in the order of their numbers; several times faster than sorting them."""
    last = b""
    for start in range(0, len(texts), _PORTION):
        keys = _sort_keys(texts[start : start + _PORTION])
        if keys[0] < last or sorted(keys) != keys:
            return False
        last = keys[-1]
    return True


def _sort_keys(texts: list[str]) -> list[bytes]:
    if set(map(len, texts)) == {_LENGTH}:
        joined = "".join(texts).encode().translate(_SORTABLE)
        if len(joined) == _LENGTH * len(texts):
            return list(struct.unpack(f"{_LENGTH}s" * len(texts), joined))
    return [sort_key(text) for text in texts]


class Clock:
    """The clock of one server; the counter starts anew each millisecond, so servers give equal values (facts §5.9)."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self.last = 0
        self.skew = 0.0  # seconds by which this server's clock is wrong

    def tick(self) -> int:
        """The next revision, larger than every one this clock gave; restored ones are not observed."""
        current = int((self._now() + self.skew) * 1000) << _COUNTER_BITS
        self.last = current if current > self.last else self.last + 1
        return self.last

    def observe(self, value: int) -> None:
        """Never go below a revision seen elsewhere: a new leader's are larger than its predecessor's (facts §5.9)."""
        self.last = max(self.last, value)

    def tick_text(self) -> str:
        """The next revision as text."""
        value = self.tick()
        return (
            ALPHABET[value >> 60]
            + _PAIRS[(value >> 48) & 4095]
            + _PAIRS[(value >> 36) & 4095]
            + _PAIRS[(value >> 24) & 4095]
            + _PAIRS[(value >> 12) & 4095]
            + _PAIRS[value & 4095]
        )
