# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How documents are compared: by revisions, or by contents where the target makes its own revisions (design §4.7)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.cutover.arangodb.plugins.module_utils._core.revision import encode
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.likeness import Likeness, State, alike, differs
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.marker import parse_slowly, without_revision
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.reads import as_insert

REVISION, CONTENT = Likeness.REVISION, Likeness.CONTENT
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
BODIES = st.dictionaries(st.text(max_size=8).filter(lambda name: not name.startswith("_")), VALUES, max_size=5)


def raw(body: dict[str, Any], revision: str = "_A", order: int = 0) -> bytes:
    """A document as a server shows it; an odd ``order`` puts the revision last."""
    head = {"_key": "k", "_id": "c/k"}
    document = {**head, "_rev": revision, **body} if order % 2 == 0 else {**head, **body, "_rev": revision}
    return json.dumps(document, ensure_ascii=order % 3 == 0).encode("utf-8")


@given(body=BODIES, other=BODIES, order=st.integers(0, 5))
def test_contents_are_the_same_whatever_the_revision(body: dict[str, Any], other: dict[str, Any], order: int) -> None:
    one, two, third = (CONTENT.state(as_insert(text)) for text in (raw(body), raw(body, "_B", order), raw(other, "_A")))
    assert not differs(one, [two]) and alike([one], [two])
    same = json.dumps(body, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert differs(one, [third]) is not same
    by_revision = [REVISION.state(as_insert(text)) for text in (raw(body), raw(body, "_B", order), raw(other, "_A"))]
    assert differs(by_revision[0], [by_revision[1]]) and not differs(by_revision[0], [by_revision[2]])


@given(body=BODIES, order=st.integers(0, 5))
def test_a_revision_is_cut_out_and_every_other_text_stays(body: dict[str, Any], order: int) -> None:
    """Numbers above all: they are not written anew."""
    document = raw({**body, "n": 0}, order=order).replace(b'"n": 0', b'"n": 1.50e+007')
    rest = without_revision(document)
    assert b"1.50e+007" in rest
    assert json.loads(rest) == {name: value for name, value in json.loads(document).items() if name != "_rev"}
    marker = b'{"tick":"1","type":2300,"db":"d","cuid":"c","tid":"0","data":%s}' % document
    assert CONTENT.bodies([parse_slowly(marker)]) == [rest]
    assert REVISION.bodies([parse_slowly(marker)]) == [document]


@pytest.mark.parametrize(
    "text", [b'{"_key":"k","_rev":"_A","sub":{"_rev":"_B"}}', b'{"_key":"k","_id":"c/k","_rev":"_A"}', b'{"_key":"k"}']
)
def test_only_the_documents_own_revision_is_cut_out(text: bytes) -> None:
    wanted = {name: value for name, value in json.loads(text).items() if name != "_rev"}
    assert json.loads(without_revision(text)) == wanted


def states(*pairs: tuple[int, str]) -> list[State]:
    """Of numbers of revisions and contents."""
    return [State(encode(number), content) for number, content in pairs]


@pytest.mark.parametrize(
    ("here", "there", "later", "wrong"),
    [
        (states((5, "a")), states((90, "a")), states((5, "a")), False),
        (states((5, "a")), states((90, "b")), states((5, "a")), True),
        (states((5, "a")), [], states((5, "a")), True),
        ([], states((90, "a")), [], True),
        ([], [], [], False),
        # The source has changed it since, perhaps back again, or removed or made it: the log will say.
        (states((5, "a")), states((90, "b")), states((6, "b")), False),
        (states((5, "a")), states((90, "b")), states((7, "a")), False),
        (states((5, "a")), states((90, "b")), [], False),
        ([], states((90, "b")), states((7, "a")), False),
    ],
)
def test_i1_a_content_is_wrong_only_if_the_source_has_not_changed_it(
    here: list[State], there: list[State], later: list[State], wrong: bool
) -> None:
    """However new or old the target's own revision is."""
    assert CONTENT.wrong(here, there, later, True) is wrong


def revisions(*numbers: int) -> list[State]:
    """As they are compared by revision."""
    return [State(encode(number), number) for number in numbers]


@pytest.mark.parametrize(
    ("here", "there", "later", "single", "wrong"),
    [
        ([5], [5], [5], True, False),
        ([5], [4], [5], True, True),
        ([5], [], [5], True, True),
        ([], [5], [], True, True),
        ([5], [6], [6], True, False),
        ([5], [7], [6], True, True),
        ([5], [7], [6], False, False),
    ],
)
def test_i1_a_revision_is_wrong_if_no_log_can_have_left_it(
    here: list[int], there: list[int], later: list[int], single: bool, wrong: bool
) -> None:
    assert REVISION.wrong(revisions(*here), revisions(*there), revisions(*later), single) is wrong


def test_what_must_go_before_the_sources_document_is_written() -> None:
    """By contents nothing: it is replaced by its key; what the source lacks goes as it is there."""
    there = states((90, "x"))
    assert CONTENT.strays(there, states((5, "a")), True) == []
    assert CONTENT.strays(there, [], False) == [encode(90)]
    assert REVISION.strays(revisions(4, 5), revisions(5), True) == [encode(4)]


def test_whether_nothing_is_left_to_do() -> None:
    assert CONTENT.settled(State("_A", "a"), states((90, "a")), True)
    assert not CONTENT.settled(State("_A", "a"), states((90, "b")), True)
    assert not CONTENT.settled(State("_A", "a"), [], True)
    assert REVISION.settled(revisions(5)[0], revisions(5), True)
    assert not REVISION.settled(revisions(5)[0], revisions(9), True)
    assert REVISION.settled(revisions(5)[0], revisions(9), False)
