# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Capabilities that are found out by reading: what is there, what is not, and what follows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.precheck.capabilities import CAPABILITIES
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.precheck.capability import (
    MISSING,
    Capability,
    Seen,
)
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.precheck.probes_trial import TRIES
from tests.testbed.launch import TestCluster
from tests.unit.plugins.module_utils._engine.precheck.rig import Rig

REFUSED: dict[str, Any] = {"error": True, "code": 403, "errorNum": 11, "errorMessage": "forbidden"}
READ = [one.id for one in CAPABILITIES if one.probe is not None]
# A path of either side whose refusal is an answer.
PATHS = {
    "source-parallel-dump": ("source", "/_api/dump/next"),
    "source-log-end": ("source", "/_api/wal/tail"),
    "source-shard-ids": ("source", "/_api/collection$"),
    "source-reboot-ids": ("source", "/_admin/status"),
    "source-log-clients": ("source", "/_api/replication/logger-state"),
    "source-disk-metrics": ("source", "/_admin/metrics"),
    "source-modes": ("source", "/_admin/server/mode"),
    "source-writers": ("source", "/_api/query/current"),
    "target-health": ("target", "/_admin/cluster/health"),
    "target-metrics": ("target", "/_admin/metrics"),
    "target-mode": ("target", "/_admin/server/mode"),
    "target-license": ("target", "/_admin/license"),
    "target-compressed": ("target", "/_api/cursor"),
    "target-hashes": ("target", "/_api/cursor"),
}


def test_the_table_is_well_formed() -> None:
    assert len({one.id for one in CAPABILITIES}) == len(CAPABILITIES)
    assert {one.id for one in CAPABILITIES if one.tried} == set(TRIES)
    for one in CAPABILITIES:
        assert one.id.startswith(f"{one.side}-"), one.id
        assert [one.probe is not None, one.tried, bool(one.later)].count(True) == 1, one.id
        assert one.facts.startswith("§"), one.id


def test_everything_is_found_on_two_healthy_clusters(rig: Rig) -> None:
    found = {item["id"]: item for item in rig.everything().capabilities}
    assert list(found) == [one.id for one in CAPABILITIES]
    assert {name: found[name]["status"] for name in READ} == dict.fromkeys(READ, "found"), found


@pytest.mark.parametrize("name", PATHS)
def test_what_is_refused_is_missing(rig: Rig, name: str) -> None:
    side, path = PATHS[name]
    rig.pretend(side, path, REFUSED, status=403)
    answer = rig.capability(name)
    assert answer["status"] == MISSING, answer
    assert answer["mode"] == next(one for one in CAPABILITIES if one.id == name).otherwise


def test_an_old_source_is_read_exactly_as_velocypack(rig: Rig, tmp_path: Path) -> None:
    with TestCluster.start(tmp_path, name="old", version="3.10.14") as source:
        other = Rig(source, rig.target, tmp_path)
        assert "VelocyPack" in other.capability("source-exact-numbers")["found"]
        other.pretend("source", "/_api/document/_graphs", [REFUSED])
        assert other.capability("source-exact-numbers")["status"] == MISSING


@pytest.mark.parametrize(
    ("readings", "name"),
    [({"2": "plain-guids"}, "source-shard-ids"), ({"7": "no-community-dump"}, "source-parallel-dump")],
)
def test_other_readings_of_the_facts(rig: Rig, tmp_path: Path, readings: dict[str, str], name: str) -> None:
    options = {"readings": readings, "license": "community"}
    with TestCluster.start(tmp_path, name="other", version="3.11.14", options=options) as source:
        assert Rig(source, rig.target, tmp_path).capability(name)["status"] == MISSING


def test_no_answer_is_no_verdict(rig: Rig) -> None:
    rig.pretend("target", "/_admin/license", "", status=503)
    answer = rig.capability("target-license")
    assert answer["status"] == "unknown"
    assert answer["mode"].startswith("found out when it is needed")


def test_an_answer_has_its_mode_and_no_secret() -> None:
    one = Capability("target-x", "target", "A title", "§1", "this", "that", tried=True)
    assert [one.answer(seen)["mode"] for seen in (Seen(True, "a"), Seen(False, "b"))] == ["this", "that"]
    assert one.answer(None)["status"] == "not-probed"
    assert "geheim" not in one.answer(Seen(None, "password=geheim"))["found"]
