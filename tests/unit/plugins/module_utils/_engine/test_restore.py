# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writing snapshot batches: undecoded where revisions are kept, by the bulk API where not."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import ArangoError
from ansible_collections.cutover.arangodb.plugins.module_utils._core.http import Response
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.likeness import Likeness
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.restore import Restorer, parts
from tests.unit.plugins.module_utils._engine.fake_target import PLAN, Bench, FakeTarget

LINES = [b'{"_key":"k%d","_id":"c/k%d","_rev":"_A%d","n":1e-7}' % (number, number, number) for number in range(1, 7)]
BODY = b"\n".join(LINES) + b"\n"


class RestoringTarget(FakeTarget):
    """A target with restore-data, which keeps revisions or gives new ones."""

    def __init__(self, keeps: bool = True, stubborn: bool = False) -> None:
        super().__init__()
        self.keeps = keeps
        self.stubborn = stubborn
        self.restored: list[bytes] = []
        self.refusals: list[ArangoError] = []

    def request(self, method: str, path: str, **options: Any) -> Response:
        if path.endswith("restore-data"):
            body = b"".join(options["data"])
            keep = options["query"]["preserveRevisionIds"]
            assert options["query"] == {"collection": "c", "preserveRevisionIds": keep, "useEnvelope": False}
            self.restored.append(body)
            if self.refusals:
                raise self.refusals.pop(0)
            for line in body.splitlines():
                key = json.loads(line)["_key"]
                self.documents[key] = line if keep and self.keeps else line.replace(b'"_A', b'"_new')
                if self.stubborn:
                    self.documents[key] = line
            return Response(200, {}, b'{"result":true}')
        if method == "PUT":
            [key] = options["body"]
            found = self.documents.get(key, b'{"error":true,"errorNum":1202}')
            return Response(200, {}, b"[" + found + b"]")
        return super().request(method, path, **options)


def refusal(status: int, number: int, kind: str) -> ArangoError:
    return ArangoError("CUT-ARANGO-6", "no", status=status, error_num=number, method="PUT", url="u", kind=kind)


def restorer_of(bench: Bench) -> Restorer:
    return Restorer(bench.writer, bench.reader, bench.units.refuse, 100, bench.exact)


def test_bodies_pass_through_unchanged() -> None:
    target = RestoringTarget()
    bench = Bench(target)
    restorer = restorer_of(bench)
    restorer.restore(PLAN, BODY)
    restorer.restore(PLAN, BODY)
    assert target.restored == [LINES[0], BODY, BODY], "one document to see whether revisions are kept, then everything"
    assert list(target.documents.values()) == LINES


@pytest.mark.parametrize("keeps", [True, False])
def test_i2_what_the_source_rounds_is_restored_exactly(keeps: bool) -> None:
    target = RestoringTarget(keeps=keeps)
    restorer_of(Bench(target, rounded=True)).restore(PLAN, b'{"_key":"a","_rev":"_A1","n":1}\n')
    assert list(target.documents.values()) == [b'{"_key":"a","_rev":"_A1","n":2}']


def test_where_revisions_are_not_kept_the_bulk_api_is_used() -> None:
    target = RestoringTarget(keeps=False)
    bench = Bench(target)
    restorer_of(bench).restore(PLAN, BODY)
    assert len(target.restored) == 1
    assert list(target.documents.values()) == LINES


@pytest.mark.parametrize("stubborn", [False, True])
def test_where_the_target_makes_revisions_none_is_kept(stubborn: bool) -> None:
    """Also by a server that keeps them though it was told not to: everything goes by the bulk API then."""
    target = RestoringTarget(stubborn=stubborn)
    restorer = restorer_of(Bench(target))
    restorer.restore(replace(PLAN, likeness=Likeness.CONTENT), BODY)
    assert target.restored == [LINES[0]] + ([] if stubborn else [BODY])
    found = {key: json.loads(raw) for key, raw in target.documents.items()}
    assert [document["_rev"][:4] for document in found.values()] == ["_mad" if stubborn else "_new"] * 6
    restorer.restore(PLAN, BODY)
    assert list(target.documents.values()) == LINES, "another collection keeps its revisions"


def test_i9_each_refused_document_is_known_by_its_key() -> None:
    target = RestoringTarget()
    bench = Bench(target)
    restorer = restorer_of(bench)
    restorer.restore(PLAN, LINES[0] + b"\n")
    target.refusals = [refusal(400, 1221, "fatal")]
    for key in ("k2", "k5"):
        target.refuse[key] = {"error": True, "errorNum": 1221, "errorMessage": "illegal document key"}
    restorer.restore(PLAN, BODY)
    assert sorted(finding.key or "" for finding in bench.findings) == ["k2", "k5"]
    assert sorted(target.documents) == ["k1", "k3", "k4", "k6"]


def test_what_is_too_big_is_divided_at_line_ends() -> None:
    target = RestoringTarget()
    bench = Bench(target)
    restorer = restorer_of(bench)
    restorer.restore(PLAN, LINES[0] + b"\n")
    target.restored.clear()
    target.refusals = [refusal(413, 0, "fatal")]
    restorer.restore(PLAN, BODY)
    assert len(target.restored) >= 3
    assert b"".join(target.restored[1:]) == BODY


def test_i1_keys_of_a_lost_restore_are_noted() -> None:
    target = RestoringTarget()
    bench = Bench(target)
    restorer = restorer_of(bench)
    restorer.restore(PLAN, LINES[0] + b"\n")
    target.refusals = [refusal(504, 0, "transient")]
    restorer.restore(PLAN, BODY)
    assert bench.notes.noted[0][1] == [b"k%d" % number for number in range(1, 7)]
    assert list(target.documents.values()) == LINES


def test_a_collection_that_is_gone_is_told() -> None:
    target = RestoringTarget()
    bench = Bench(target)
    restorer = restorer_of(bench)
    restorer.restore(PLAN, LINES[0] + b"\n")
    target.refusals = [refusal(404, 1203, "fatal")]
    with pytest.raises(ArangoError):
        restorer.restore(PLAN, BODY)


SOME_LINES = st.lists(st.binary(min_size=1, max_size=30).map(lambda line: line.replace(b"\n", b"")), max_size=12)


@given(SOME_LINES, st.integers(1, 60))
def test_parts_are_whole_lines(lines: list[bytes], limit: int) -> None:
    body = b"".join(line + b"\n" for line in lines)
    found = list(parts(body, limit))
    assert b"".join(found) == body
    for part in found:
        assert part.endswith(b"\n")
        assert len(part) <= limit or part.count(b"\n") == 1
