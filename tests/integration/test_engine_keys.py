# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Keys that the target makes after its opening never meet migrated ones; where that is not certain, it is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.engine import Engine
from tests.integration.conftest import SOURCE_OPTIONS
from tests.integration.engine_case import finished, make_engine, ready, request_of, wait_status
from tests.integration.pair import PASSWORD, TIME_SCALE, Pair
from tests.testbed.launch import TestCluster

KINDS: dict[str, dict[str, Any]] = {
    "several": {"numberOfShards": 3},
    "single": {"numberOfShards": 1},
    "padded": {"numberOfShards": 2, "keyOptions": {"type": "padded"}},
    "counted": {"numberOfShards": 1, "keyOptions": {"type": "autoincrement", "increment": 3, "offset": 1}},
    "random": {"numberOfShards": 2, "keyOptions": {"type": "uuid"}},
}
Pairs = Callable[..., Any]


@pytest.fixture
def pair_of(tmp_path: Path) -> Pairs:
    """Both clusters with a version and readings of the target."""

    @contextmanager
    def made(**options: Any) -> Iterator[Pair]:
        (tmp_path / "state").mkdir()
        with (
            TestCluster.start(tmp_path, name="source", options=SOURCE_OPTIONS) as source,
            TestCluster.start(
                tmp_path,
                name="target",
                flavour="managed",
                root_password=PASSWORD,
                options={"time_scale": TIME_SCALE, **options.pop("options", {})},
                **options,
            ) as target,
        ):
            pair = Pair(source, target, tmp_path)
            yield pair
            pair.clients.close()

    return made


def _fill(pair: Pair, number: int = 40) -> None:
    for name, properties in KINDS.items():
        body = {"name": name, "replicationFactor": 2, **properties}
        pair.clients.coordinators.json("POST", "/_api/collection", database="_system", body=body)
        pair.insert(name, [{"n": i} for i in range(number)])


def _new_keys_collide(pair: Pair, number: int = 300) -> list[str]:
    """Names of collections in which a document without a key is refused."""
    collided = set()
    for server in pair.clients.target.each():
        for name in KINDS:
            answer = server.json("POST", f"/_api/document/{name}", database="_system", body=[{}] * number)
            if any(item.get("error") for item in answer):
                collided.add(name)
    return sorted(collided)


def _cut_over(pair: Pair, **changes: Any) -> dict[str, Any]:
    engine = make_engine(pair)
    try:
        engine.start(request_of(pair, **changes))
        wait_status(engine, ready)
        engine.stop({"wait_timeout": 20.0})
        wait_status(engine, finished, 60.0)
        report = engine.report()
        assert report is not None
        return report
    finally:
        engine.close(20.0)


def test_a_naive_copy_collides(pair: Pair) -> None:
    """What the engine has to prevent: restored keys are not known to the target's generator (facts §3.4)."""
    for side in (pair.clients.coordinators, pair.clients.target):
        body = {"name": "several", "numberOfShards": 3, "replicationFactor": 2}
        side.json("POST", "/_api/collection", database="_system", body=body)
    pair.insert("several", [{} for _number in range(300)])
    lines = "".join(f'{{"_key":"{key}"}}\n' for key in pair.source.control.documents("_system", "several"))
    pair.clients.target.request(
        "PUT", "/_api/replication/restore-data", database="_system", query={"collection": "several"},
        body=lines.encode(),
    )  # fmt: skip
    answer = pair.clients.target.json("POST", "/_api/document/several", database="_system", body=[{}] * 300)
    assert any(item.get("errorNum") == 1210 for item in answer)


@pytest.mark.parametrize(
    ("options", "how"),
    [
        ({"version": "3.11.14"}, "used up"),
        ({"version": "3.12.10"}, "reserved"),
        ({"options": {"readings": {"19": "observant"}}}, "goes on above restored keys"),
    ],
)
def test_new_keys_never_meet_migrated_ones(pair_of: Pairs, options: dict[str, Any], how: str) -> None:
    """With every generator, through every coordinator, by whatever the version offers."""
    with pair_of(**options) as pair:
        _fill(pair)
        keys = _cut_over(pair)["keys"]
        assert keys["open"] == []
        assert set(keys["how"]) == {"several shards", "one shard", "autoincrement"}
        assert how in keys["how"]["several shards"]
        assert _new_keys_collide(pair) == []
        names = {item["name"] for item in pair.clients.target.json("GET", "/_api/collection")["result"]}
        assert "_cutover_keys" not in names


def _question(status: dict[str, Any]) -> str:
    return next((item["text"] for item in status["cutover"]["blockers"] if item["code"] == "CUT-KEYS-1"), "")


def test_a_question_that_only_the_operator_can_answer(pair: Pair) -> None:
    """The source's ids are far above what a target of this version can be brought to."""
    _fill(pair)
    far = 10**12
    pair.insert("several", [{"_key": str(far)}])
    engine: Engine = make_engine(pair)
    try:
        engine.start(request_of(pair))
        status = wait_status(engine, lambda status: "_system/several" in _question(status))
        text = _question(status)
        assert str(far) in text
        with pytest.raises(CutoverError) as refused:
            engine.stop({})
        assert "CUT-KEYS-1" in {item["code"] for item in refused.value.details["blockers"]}
    finally:
        engine.close(20.0)


def test_an_accepted_question_is_in_the_report(pair: Pair) -> None:
    """By the precheck's id, with its reason."""
    _fill(pair)
    pair.insert("several", [{"_key": str(10**12)}])
    accept = [{"id": "features-generated-keys", "reason": "applications give their own keys"}]
    report = _cut_over(pair, accept=accept)
    assert report["keys"]["accepted"] == "applications give their own keys"
    assert report["keys"]["open"] == ["_system/padded", "_system/several"]


def test_passing_trouble_while_the_generators_are_looked_at_is_no_answer(pair_of: Pairs) -> None:
    """They are looked at again: the question goes away by itself."""
    with pair_of() as pair:
        _fill(pair)
        control = pair.target.control
        control.fault("status", preset="too-many-requests", method="POST", path_regex="/_api/document/_cutover_keys")
        engine = make_engine(pair)
        try:
            engine.start(request_of(pair))
            wait_status(engine, ready)
            assert [fault["acted"] for fault in control.get("/state/faults")] == [1]
        finally:
            engine.close(20.0)
