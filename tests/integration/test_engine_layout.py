# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Another number of shards on the target, with revisions of its own: contents are compared everywhere (design §4.7)."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.supervisor import Supervisor
from tests.integration.engine_case import (
    Fill,
    Writer,
    all_differences,
    finished,
    make_engine,
    ready,
    request_of,
    source_root,
    wait_status,
)
from tests.integration.pair import Pair, wait_for
from tests.integration.topology_case import complete, fail_over_with_lag

SHARDS = {"things": 1, "wide": 3, "orders": 5}
OWN = sorted(SHARDS)
CHOICE = {
    "number_of_shards": {f"shop/{name}": number for name, number in SHARDS.items()},
    "rev_policy": {f"shop/{name}": "regenerate" for name in SHARDS},
}


def fill(pair: Pair, documents: int = 150) -> Fill:
    """A source with a collection of nine shards among others."""
    made = Fill(pair)
    made.definitions()
    made.collection("wide", numberOfShards=9)
    made.documents(documents)
    pair.insert("wide", [{"_key": f"k{number}", "n": number} for number in range(5 * documents)], "shop")
    return made


def contents(pair: Pair, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Documents by key without revisions, from both storages behind every API."""
    sides = []
    for side in (pair.source, pair.target):
        found = {key: json.loads(raw) for key, (_rev, raw) in side.control.documents("shop", name).items()}
        sides.append({key: {**document, "_rev": None} for key, document in found.items()})
    return sides[0], sides[1]


def others(pair: Pair) -> dict[str, list[str]]:
    """Differing keys of collections whose revisions are kept."""
    return {name: keys for name, keys in all_differences(pair).items() if name not in SHARDS}


def shards(pair: Pair, name: str) -> int:
    """How many the target has."""
    found = pair.clients.target.json("GET", f"/_api/collection/{name}/properties", database="shop")
    return int(found["numberOfShards"])


@contextmanager
def writing(pair: Pair) -> Iterator[None]:
    """Somebody who writes to ``wide`` until the source is read-only: the same few values again and again."""
    stop = threading.Event()

    def run() -> None:
        server, number = source_root(pair), 0
        while not stop.wait(0.005):
            number += 1
            body = [{"_key": f"k{number % 40}", "n": number % 3}]
            try:
                query = {"overwriteMode": "replace"}
                server.json("POST", "/_api/document/wide", database="shop", query=query, body=body)
                if number % 7 == 0:
                    server.json("DELETE", "/_api/document/wide", database="shop", body=[f"k{number % 30}"])
            except CutoverError:
                stop.wait(0.05)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(10.0)


def test_another_number_of_shards_with_kept_revisions_is_refused(pair: Pair) -> None:
    """Before anything is touched, with the reason; and what can never have another one, by name."""
    fill(pair, 20)
    engine = make_engine(pair)
    try:
        choice = {
            "number_of_shards": {"shop": 4, "shop/things": 3},
            "rev_policy": {"shop": "regenerate", "shop/wide": "keep"},
        }
        with pytest.raises(CutoverError) as refused:
            engine.start(request_of(pair, **choice))
        (check,) = refused.value.details["checks"]
        assert check["id"] == "features-layout"
        assert "shop/wide (number_of_shards): 4 instead of 9 shards need rev_policy regenerate" in check["message"]
        assert "shop/by_region (rev_policy): its shards are chosen by region" in check["message"]
        assert "shop/singles (number_of_shards): unique indexes without _key need one shard: serial" in check["message"]
        assert "shop/things" not in check["message"]
        assert engine.status()["state"] == "inactive"
        assert pair.clients.target.json("GET", "/_api/database", database="_system")["result"] == ["_system"]
    finally:
        engine.close(20.0)


def test_other_shards_under_writes_lost_answers_a_kill_and_damage(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ends with equal contents, revisions of the target's own, and a report that says how it was compared."""
    monkeypatch.setattr(Supervisor, "_last_checkpoint", lambda self, running: None)
    fill(pair)
    engine = make_engine(pair)
    try:
        pair.target.control.fault("lost_answer", path_regex="restore-data", run="late", count=2)
        engine.start(request_of(pair, **CHOICE))
        with Writer(pair) as writer, writing(pair):
            wait_status(engine, ready, 90.0)
            pair.target.control.fault(
                "lost_answer", method="POST", path_regex="/_api/document/(wide|things)", run="late", nth=2, count=4
            )
            before = writer.count
            wait_for(lambda: writer.count > before + 60)
            engine.close(20.0)
            engine = make_engine(pair)
            engine.recover()
            status = wait_status(engine, ready, 90.0)
            assert status["progress"]["documents_copied"] == 0
            body = {"n": 100, "text": "Thing 1OO"}
            pair.target.control.fault("alter_document", database="shop", collection="things", key="t100", body=body)
            pair.target.control.fault("drop_document", database="shop", collection="wide", key="k600")
            wait_status(engine, lambda found: found["verification"]["repaired"] >= 2, 90.0)
            keys = {item.get("key") for item in engine.findings() if item["code"].startswith("CUT-VERIFY")}
            assert keys == {"t100", "k600"}, engine.findings()
            engine.stop({"wait_timeout": 60.0})
            wait_status(engine, finished, 90.0)
        for name, number in SHARDS.items():
            here, there = contents(pair, name)
            assert here == there, name
            assert shards(pair, name) == number
        assert set(pair.differences("wide", "shop")) == set(contents(pair, "wide")[0])
        assert others(pair) == {}
        report = engine.report()
        assert report is not None
        assert report["verification"]["methods"]["keys and contents, as the target has revisions of its own"] == 3
        assert report["proof"]["differences"] == []
        for mode in ("counts", "checksums", "keys", "documents"):
            found = engine.verification({"mode": mode})
            assert found["equal"], (mode, found)
        assert engine.changes({})["totals"] == {"created": 0, "changed": 0, "removed": 0}
        query = {"overwriteMode": "replace"}
        written = [{"_key": "k601", "n": -1}, {"_key": "new"}]
        pair.clients.target.json("POST", "/_api/document/wide", database="shop", query=query, body=written)
        assert engine.changes({})["totals"] == {"created": 1, "changed": 1, "removed": 0}
    finally:
        engine.close(20.0)


def test_i3_a_suspect_shard_is_compared_by_contents_and_a_truncated_one_swept(pair: Pair) -> None:
    """New leaders that lack what was applied; then a truncate with new documents behind it."""
    fill(pair)
    engine = make_engine(pair)
    try:
        engine.start(request_of(pair, **CHOICE))
        wait_status(engine, ready, 90.0)
        fail_over_with_lag(pair)
        wait_for(lambda: contents(pair, "things")[0] == contents(pair, "things")[1], 60.0)
        server = source_root(pair)
        server.json("PUT", "/_api/collection/wide/truncate", database="shop")
        pair.insert("wide", [{"_key": f"k{number}", "n": number} for number in range(0, 300, 3)], "shop")
        wait_for(lambda: contents(pair, "wide")[0] == contents(pair, "wide")[1], 60.0)
        wait_status(engine, ready, 90.0)
        complete(engine)
        assert all(here == there for here, there in (contents(pair, name) for name in OWN))
        assert others(pair) == {}
    finally:
        engine.close(20.0)


@pytest.mark.parametrize("repair", [True, False])
def test_i5_silent_damage_blocks_or_is_put_right(pair: Pair, repair: bool) -> None:
    """A document that somebody added, and one that was replaced."""
    fill(pair)
    engine = make_engine(pair)
    try:
        engine.start(request_of(pair, **CHOICE, repair=repair))
        wait_status(engine, ready, 90.0)
        body = [{"_key": "foreign"}, {"_key": "k5", "n": -5}]
        query = {"overwriteMode": "replace"}
        pair.clients.target.json("POST", "/_api/document/wide", database="shop", query=query, body=body)
        if repair:
            wait_status(engine, lambda status: status["verification"]["repaired"] == 2, 90.0)
            here, there = contents(pair, "wide")
            assert here == there
            return
        wait_status(engine, lambda status: status["verification"]["confirmed"] == 2, 90.0)
        kinds = {item["key"]: item["kind"] for item in engine.verification({"mode": "keys"})["differences"]}
        assert kinds == {"foreign": "extra", "k5": "other"}
        with pytest.raises(CutoverError) as refused:
            engine.stop({})
        assert "CUT-VERIFY-2" in [item["code"] for item in refused.value.details["blockers"]]
    finally:
        engine.close(20.0)
