# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documents are kept as text: numbers are never re-encoded (facts §5.8)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.testbed import rawjson
from tests.testbed.errors import ArangoError

NAMES = st.sampled_from(["_key", "_id", "_rev", "_from", "_to", "a", "b", 'q"uote', "back\\slash", "ü", ""])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(NAMES, VALUES, max_size=6)
LAYOUTS = st.sampled_from([{"separators": (",", ":")}, {"separators": (", ", ": ")}, {"indent": 2}, {"indent": "\t"}])


def _loads_exact(text: str | bytes) -> Any:
    """Equality of number texts, not of their values."""
    return json.loads(text, parse_int=lambda number: f"int {number}", parse_float=lambda number: f"float {number}")


@given(st.lists(DOCUMENTS, max_size=4), LAYOUTS, st.booleans())
def test_elements_of_an_array_are_the_same_json_without_white_space(
    documents: list[dict[str, Any]], layout: dict[str, Any], ascii_only: bool
) -> None:
    body = json.dumps(documents, ensure_ascii=ascii_only, **layout).encode()
    pairs = rawjson.parse_array(body)
    assert [value for _text, value in pairs] == documents
    assert [_loads_exact(text) for text, _value in pairs] == _loads_exact(body)
    assert all("\n" not in text for text, _value in pairs)


@given(DOCUMENTS, LAYOUTS)
def test_rest_is_the_document_without_the_system_attributes(document: dict[str, Any], layout: dict[str, Any]) -> None:
    body = json.dumps(document, **layout).encode()
    text, value = rawjson.parse(body)
    rest = rawjson.Element(text, value).rest()
    kept = {name: entry for name, entry in _loads_exact(body).items() if name not in rawjson.SYSTEM}
    assert _loads_exact("{" + rest + "}") == kept


@pytest.mark.parametrize("number", ["1e-7", "12345678901234567890", "-0.0", "1.10", "1E5", "9007199254740993"])
def test_number_texts_stay(number: str) -> None:
    text, value = rawjson.parse(f'{{"x" : {number}, "_key": "k"}}'.encode())
    element = rawjson.Element(text, value)
    assert rawjson.build("c", "k", "_abc", None, element.rest()).decode() == (
        f'{{"_key":"k","_id":"c/k","_rev":"_abc","x":{number}}}'
    )


BAD_ARRAYS = [
    b"[1 2]",
    b"[1,]",
    b"[",
    b"[1",
    b"",
    b"{}",
    b"[1]]",
    b"[NaN]",
    b'["\x01"]',
    b"[\xff]",
    b"[1] 2",
    b"[[1 2]]",
]


@pytest.mark.parametrize("body", BAD_ARRAYS)
def test_bad_arrays_are_refused(body: bytes) -> None:
    with pytest.raises(ArangoError) as caught:
        rawjson.parse_array(body)
    assert caught.value.error_num == 600


MERGE_VALUES = st.recursive(
    st.none() | st.integers(), lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3), max_leaves=6
)
MERGE_DOCUMENTS = st.dictionaries(st.sampled_from("abcd"), MERGE_VALUES, max_size=4)


def _reference(old: Any, new: Any) -> Any:
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return new
    return {**old, **{name: _reference(old.get(name), value) for name, value in new.items()}}


@given(MERGE_DOCUMENTS, MERGE_DOCUMENTS)
def test_merge_is_the_recursive_union(old: dict[str, Any], new: dict[str, Any]) -> None:
    merged = rawjson.merge(rawjson.Element.of(old), rawjson.Element.of(new), keep_null=True, deep=True)
    assert merged.value == _reference(old, new) == json.loads(merged.text)


def test_merge_appends_new_members_in_the_order_of_their_names() -> None:
    old = rawjson.Element.of({"usa": 1.0, "china": 2})
    new = rawjson.Element.of({"indonesia": 3, "brazil": 4, "china": 5})
    merged = rawjson.merge(old, new, keep_null=True, deep=True)
    assert merged.text == '{"usa":1.0,"china":5,"brazil":4,"indonesia":3}'


def test_merge_drops_nulls_where_they_are_not_kept() -> None:
    old = rawjson.Element.of({"a": {"x": 1, "y": 2}, "b": 1})
    new = rawjson.Element.of({"a": {"x": None, "z": {"q": None}}, "b": None, "c": None})
    assert rawjson.merge(old, new, keep_null=False, deep=True).text == '{"a":{"y":2,"z":{}}}'
    assert rawjson.merge(old, new, keep_null=True, deep=False).value == new.value
