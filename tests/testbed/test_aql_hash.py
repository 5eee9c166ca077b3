# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""AQL's HASH(): what is equal, and that it holds within one version only (documentation; facts §12.11)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.testbed.client import Client
from tests.testbed.launch import TestCluster

TEXT = 'RETURN CONCAT(d._key, "/", d._rev)'
HASHED = 'RETURN CONCAT(d._key, "/", d._rev, "/", HASH(d))'


def ask(client: Client, query: str, **binds: object) -> list[object]:
    answer = client("POST", "/_api/cursor", {"query": query, "bindVars": binds})
    assert answer.status == 201, answer.body
    result: list[object] = answer.json["result"]
    return result


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        ("1", "1.0", True),
        ("1", "'1'", False),
        ("{a: 1, b: [2]}", "{b: [2], a: 1}", True),
        ("[1, 2]", "[2, 1]", False),
        ("null", "false", False),
        ("{a: null}", "{}", False),
    ],
)
def test_values_are_normalised(client: Client, left: str, right: str, equal: bool) -> None:
    hashes = ask(client, f"RETURN [HASH({left}), HASH({right})]")[0]
    assert isinstance(hashes, list)
    assert (hashes[0] == hashes[1]) is equal
    assert all(0 <= value < 2**53 for value in hashes)


@pytest.mark.parametrize("answer", [TEXT, HASHED])
def test_a_scan_gives_what_single_documents_give(client: Client, answer: str) -> None:
    name = f"hashed{len(answer)}"
    assert client("POST", "/_api/collection", {"name": name, "numberOfShards": 3}).status == 200
    body = b'[{"_key":"a","v":1.0,"w":{"x":1,"y":[2]}},{"_key":"b","v":1e300},{"_key":"c"}]'
    assert client("POST", f"/_api/document/{name}", body).status == 202
    whole = ask(client, f"FOR d IN @@c {answer}", **{"@c": name})
    slow = ask(client, f"FOR d IN @@c FILTER true {answer.replace('HASH(d)', 'HASH(MERGE(d, {}))')}", **{"@c": name})
    assert sorted(map(str, whole)) == sorted(map(str, slow))
    assert len(whole) == 3


def test_versions_may_hash_differently(start: Callable[..., TestCluster]) -> None:
    same, other = start(coordinators=1, dbservers=1), start(coordinators=1, dbservers=1, options={"checksum_seed": 7})
    with Client.root(same) as first, Client.root(other) as second:
        assert ask(first, "RETURN HASH([1])") == ask(first, "RETURN HASH([1])") != ask(second, "RETURN HASH([1])")
