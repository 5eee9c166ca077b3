# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Extended names that mean something in an address: they are never taken for a part of it (facts §3.1)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.arango import segment
from tests.integration.conftest import SOURCE_OPTIONS
from tests.integration.engine_case import finished, make_engine, ready, request_of, wait_status
from tests.integration.pair import PASSWORD, TIME_SCALE, Pair, wait_for
from tests.testbed.launch import TestCluster

DATABASE = "db 100% a?b#c &d=e"
COLLECTION = "c%2F ?x=1#y &z"
VIEW = "v% ?#"


@pytest.fixture
def extended(tmp_path: Path) -> Iterator[Pair]:
    """A source with extended names, and a version that has them always."""
    options = {"extended_names": True}
    with (
        TestCluster.start(tmp_path, name="source", options={**SOURCE_OPTIONS, **options}) as source,
        TestCluster.start(
            tmp_path, name="target", flavour="managed", root_password=PASSWORD, version="3.12.4",
            options={"time_scale": TIME_SCALE, **options},
        ) as target,
    ):  # fmt: skip
        both = Pair(source, target, tmp_path)
        (tmp_path / "state").mkdir()
        yield both
        both.clients.close()


def test_names_that_look_like_parts_of_an_address_are_moved_verified_and_opened(extended: Pair) -> None:
    """From the first copy to the last proof, with changes while running."""
    api = extended.clients.coordinators
    api.json("POST", "/_api/database", database="_system", body={"name": DATABASE})
    body = {"name": COLLECTION, "numberOfShards": 3, "replicationFactor": 2}
    api.json("POST", "/_api/collection", database=DATABASE, body=body)
    path = f"/_api/document/{segment(COLLECTION)}"
    api.json("POST", path, database=DATABASE, body=[{"_key": f"k{number}", "n": number} for number in range(200)])
    api.json("POST", "/_api/user", database="_system", body={"user": "app", "passwd": "app-password"})
    grant = f"/_api/user/app/database/{segment(DATABASE)}/{segment(COLLECTION)}"
    api.json("PUT", grant, database="_system", body={"grant": "rw"})
    engine = make_engine(extended)
    try:
        engine.start(request_of(extended))
        wait_status(engine, ready)
        view = {"name": VIEW, "type": "arangosearch", "links": {COLLECTION: {"includeAllFields": True}}}
        api.json("POST", "/_api/view", database=DATABASE, body=view)
        index = {"type": "persistent", "fields": ["n"], "name": "by_n"}
        api.json("POST", "/_api/index", database=DATABASE, query={"collection": COLLECTION}, body=index)
        api.json("POST", path, database=DATABASE, body=[{"_key": f"l{number}"} for number in range(50)])
        api.json("DELETE", path, database=DATABASE, body=["k1", "k2"])
        wait_for(lambda: not extended.differences(COLLECTION, DATABASE) and ready(engine.status()))
        # View and index are followed a moment later.
        wait_for(lambda: engine.verification({"mode": "counts"})["equal"] is True)
        for mode in ("checksums", "keys", "documents"):
            assert engine.verification({"mode": mode})["equal"] is True, mode
        engine.stop({"wait_timeout": 20.0})
        wait_status(engine, finished)
        assert extended.differences(COLLECTION, DATABASE) == []
        assert len(extended.target.control.documents(DATABASE, COLLECTION)) == 248
        target = extended.clients.target
        views = target.json("GET", "/_api/view", database=DATABASE)["result"]
        assert [item["name"] for item in views] == [VIEW]
        assert target.json("GET", grant, database="_system")["result"] == "rw"
    finally:
        engine.close(20.0)
