# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Compressed bodies of requests (facts §7.8b)."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable

import pytest

from tests.testbed.inprocess import Direct

BODY = json.dumps({"query": "RETURN LENGTH(@a)", "bindVars": {"a": "x" * 5000}}).encode()
PACKERS: dict[str, Callable[[bytes], bytes]] = {"deflate": lambda body: zlib.compress(body, 1), "gzip": gzip.compress}


def _ask(direct: Direct, name: str, body: bytes) -> tuple[int, object]:
    answer = direct("POST", "/_api/cursor", body, headers={"content-encoding": name})
    return answer.status, answer.json.get("result")


@pytest.mark.parametrize("name", PACKERS)
def test_a_compressed_body_is_understood_from_3_12_on(name: str) -> None:
    packed = PACKERS[name](BODY)
    for version, status in (("3.10.14", 400), ("3.11.14", 400), ("3.12.0", 201), ("3.12.10", 201), ("4.0", 201)):
        with Direct(version=version) as direct:
            assert _ask(direct, name, packed) == (status, [5000] if status == 201 else None)


@pytest.mark.parametrize("spoil", [lambda packed: packed[:-9], lambda packed: b"xx" + packed, lambda packed: BODY])
def test_what_does_not_decode_is_refused(spoil: Callable[[bytes], bytes]) -> None:
    with Direct(version="3.12.10") as direct:
        assert _ask(direct, "deflate", spoil(zlib.compress(BODY)))[0] == 400


def test_callers_without_login_are_refused() -> None:
    with Direct(version="3.12.10") as direct:
        packed = zlib.compress(BODY)
        answer = direct("POST", "/_api/cursor", packed, headers={"content-encoding": "deflate"}, login="")
        assert answer.status == 401


def test_documents_arrive_as_they_were() -> None:
    with Direct(version="3.12.10") as direct:
        direct("POST", "/_api/collection", {"name": "c"})
        lines = b"".join(b'{"_key":"k%d","_rev":"_jt3aNJe---","v":[1.50,"\xc3\xa4"]}\n' % n for n in range(3))
        target = "/_api/replication/restore-data?collection=c&preserveRevisionIds=true&useEnvelope=false"
        headers = {"content-encoding": "deflate", "content-type": "application/x-arango-dump"}
        assert direct("PUT", target, zlib.compress(lines, 1), headers=headers).status == 200
        assert direct("GET", "/_api/document/c/k2").json["v"] == [1.5, "ä"]
