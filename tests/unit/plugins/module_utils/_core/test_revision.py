# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Revision coding against the values of the facts (§5.9) and by properties."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.cutover.arangodb.plugins.module_utils._core import revision

NUMBERS = st.integers(0, 2**64 - 1)
# Eleven characters: everything a server has written since 1970 + 34 years.
MODERN = st.integers(2**60, 2**64 - 1)


@pytest.mark.parametrize(
    ("text", "number"),
    [("x", 51), ("xxxxx", 869219571), ("N9999999999", 2**64 - 1), ("-", 0), ("_", 1), ("A", 2)],
)
def test_values_of_the_servers_own_tests(text: str, number: int) -> None:
    assert revision.decode(text) == number
    assert revision.encode(number) == text


def test_a_recorded_revision_tells_its_time() -> None:
    number = revision.decode("_jt3aNJe---")
    assert revision.milliseconds(number) == 1748024179896
    assert number & (2**20 - 1) == 0


def test_an_old_decimal_revision() -> None:
    assert revision.decode("12345") == 12345
    assert revision.decode_clock("9") == 63


@given(NUMBERS)
def test_clock_values_survive_the_round_trip(number: int) -> None:
    assert revision.decode_clock(revision.encode(number)) == number


@given(MODERN, MODERN)
def test_order_is_that_of_the_numbers_not_of_the_texts(first: int, second: int) -> None:
    a, b = revision.encode(first), revision.encode(second)
    assert (revision.decode(a), revision.decode(b)) == (first, second)
    assert revision.newer(a, b) == (first > second)


def test_text_order_would_be_wrong() -> None:
    older, newer = revision.encode(2**60 + 63), revision.encode(2**60 + 64)
    assert revision.newer(newer, older)
    assert revision.newer("_jt3aNJf---", "_jt3aNJe--9")


@pytest.mark.parametrize("text", ["", "a b", "é", "N9999999999-", "O----------", "1x", "9" * 20, "12\u0663"])
def test_what_is_no_revision_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="revision"):
        revision.decode(text)


@pytest.mark.parametrize("number", [-1, 2**64])
def test_numbers_outside_64_bits_are_refused(number: int) -> None:
    with pytest.raises(ValueError, match="range"):
        revision.encode(number)
