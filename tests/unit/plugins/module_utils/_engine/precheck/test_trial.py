# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""probe_target: a database that nobody else has, gone again whatever happens, and never without the option."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.arango import Coordinators
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.precheck import context as context_module
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.precheck.capability import Seen
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.precheck.context import Asked
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.precheck.probes_trial import TRIES
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.precheck.trial import (
    PREFIX,
    Room,
    new_name,
    try_out,
)
from tests.testbed.launch import TestCluster
from tests.unit.plugins.module_utils._engine.precheck.rig import Rig

TRYING = Asked(probe_target=True)
BROKEN = {"target-trial", "target-keeps-revisions", "target-restores-users"}


@pytest.fixture
def root(rig: Rig) -> Iterator[Coordinators]:
    target = rig.root()
    yield target
    target.close()


def databases(target: Coordinators) -> list[str]:
    return list(target.json("GET", "/_api/database", database="_system")["result"])


def strange(rig: Rig, tmp_path: Path, **options: Any) -> Iterator[Rig]:
    """The source of the rig and a target of its own."""
    with TestCluster.start(tmp_path, name="strange", flavour="managed", root_password="geheim-77", **options) as target:
        yield Rig(rig.source, target, tmp_path)


def test_everything_is_found_and_nothing_is_left(rig: Rig, root: Coordinators) -> None:
    before = databases(root)
    result = rig.everything(TRYING)
    found = {item["id"]: item["status"] for item in result.capabilities if item["id"] in TRIES}
    assert found == {**dict.fromkeys(TRIES, "found"), "target-key-generator": "missing"}
    assert databases(root) == before


def test_nothing_is_tried_without_the_option(rig: Rig) -> None:
    result = rig.everything()
    assert {item["status"] for item in result.capabilities if item["id"] in TRIES} == {"not-probed"}
    left_out = {check["id"]: check["status"] for check in result.checks if check["id"] in BROKEN}
    assert left_out == dict.fromkeys(BROKEN, "skipped")


def test_it_is_removed_after_a_failure(root: Coordinators) -> None:
    name = new_name()

    def fails(_room: Room) -> Seen:
        raise KeyError("x")

    def breaks(_room: Room) -> Seen:
        raise ZeroDivisionError

    tried = try_out(root, name, {"one": fails})
    assert (tried.seen["one"].there, tried.problem, tried.left) == (None, None, None)
    with pytest.raises(ZeroDivisionError):
        try_out(root, name, {"one": breaks})
    assert name not in databases(root)


def test_a_database_that_is_there_is_not_touched(rig: Rig, root: Coordinators, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"{PREFIX}taken"
    root.json("POST", "/_api/database", database="_system", body={"name": name})
    monkeypatch.setattr(context_module, "new_name", lambda: name)
    try:
        check = rig.check("target-trial", asked=TRYING)
        assert check["status"] == "failed"
        assert "not touched" in check["message"]
        assert name in databases(root)
    finally:
        root.json("DELETE", f"/_api/database/{name}", database="_system")


def test_a_database_that_may_be_left_is_named(rig: Rig, root: Coordinators) -> None:
    body = json.dumps({"error": True, "code": 403, "errorNum": 11, "errorMessage": "no"})
    path = "/_api/database/cutover_probe"
    rig.target.control.fault("status", path_regex=path, method="DELETE", status=403, body=body, count=1)
    check = rig.check("target-trial", asked=TRYING)
    assert check["status"] == "failed"
    left = [name for name in databases(root) if name.startswith(PREFIX)]
    assert left == [check["measured"]["database"]]
    assert left[0] in check["remedy"]
    root.json("DELETE", f"/_api/database/{left[0]}", database="_system")


@pytest.mark.parametrize(("run", "says"), [("now", "could not be made"), ("never", "may still run")])
def test_one_that_was_perhaps_made_is_removed(rig: Rig, root: Coordinators, run: str, says: str) -> None:
    """The answer to its making is lost, and then it is there, or not yet."""
    rig.target.control.fault("lost_answer", path_regex="/_api/database$", method="POST", count=1, run=run)
    check = rig.check("target-trial", asked=TRYING)
    assert check["status"] == "failed"
    assert says in check["message"]
    assert not [name for name in databases(root) if name.startswith(PREFIX)]


@pytest.mark.parametrize(
    ("options", "name", "mode"),
    [
        ({"readings": {"9": "revisions-anew"}}, "target-revisions", "written by bulk"),
        ({"readings": {"17": "no-users"}}, "target-users", "users: recreate"),
        ({"readings": {"17": "no-health"}}, "target-health", "one copy"),
        ({"readings": {"17": "no-metrics"}}, "target-metrics", "known by you"),
        ({"readings": {"19": "observant"}}, "target-key-generator", "cannot meet"),
        ({"front_end_max_body": 1_500_000}, "target-body-size", "halved"),
    ],
)
def test_a_target_that_cannot_is_worked_with_otherwise(
    rig: Rig, tmp_path: Path, options: dict[str, Any], name: str, mode: str
) -> None:
    for other in strange(rig, tmp_path, options=options):
        capability = other.capability(name, TRYING)
        assert capability["status"] == ("found" if name == "target-key-generator" else "missing"), capability
        assert mode in capability["mode"]
        row = {"target-users": "target-restores-users"}.get(name)
        if row is not None:
            assert other.check(row, asked=TRYING)["status"] == "failed"
            assert other.check(row, asked=TRYING, users="skip")["status"] == "passed"


def test_revisions_that_are_not_kept_in_any_way_fail(rig: Rig) -> None:
    rig.pretend("target", "/_api/document/written/a", {"_key": "a", "_id": "written/a", "_rev": "_other"})
    check = rig.check("target-keeps-revisions", asked=TRYING)
    assert check["status"] == "failed"
    assert "_other" in check["message"]


def test_an_old_target_refuses_whole_batches_and_has_no_ids(rig: Rig, tmp_path: Path) -> None:
    for other in strange(rig, tmp_path, version="3.10.14"):
        result = other.everything(TRYING)
        found = {item["id"]: item["status"] for item in result.capabilities}
        assert {name: found[name] for name in ("target-bulk-errors", "target-unique-ids")} == {
            "target-bulk-errors": "missing", "target-unique-ids": "missing",
        }  # fmt: skip
