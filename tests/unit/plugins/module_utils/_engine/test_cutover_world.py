# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the cutover's steps do to source, target and data path, and in which order."""

from __future__ import annotations

import contextlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.clock import Deadline
from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine import cutover_world as module
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.cutover_world import LiveWorld
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.dataplane_types import LateMarkers
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.findings import Finding, Findings
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.index_builder import IndexJob
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.inventory import DatabaseDef
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.journal import Record
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.key_guard import Answer
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.lease import LeaseLostError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.proof import Result, Subject
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.shape import Shape
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.world import Paths
from tests.unit.control_fakes import FakeStore

ENDS = {"PRMR-a": 17}


class Case:
    """A world whose parts write down what they are asked."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.events: list[object] = []
        self.findings = Findings()
        self.unknown: set[tuple[str, str]] = set()
        self.marks: list[str] = []
        self.read_at: list[float] = []
        self.late = 0
        self.seen: dict[str, list[str]] = {"CRDN-1": ["shop"], "CRDN-2": ["shop"], "target": ["shop"]}
        self.store = FakeStore()
        self.lease_lost = False
        self.jobs = [IndexJob("shop", "10", "things", ({"name": "expiry"},), False)]
        self.differences: list[str] = []
        self.differing: set[Subject] = set()
        self.doubted: set[tuple[str, str]] = set()
        self.keys = Answer()
        self.staying: list[str] = []
        self.running: Any = SimpleNamespace(
            plane=SimpleNamespace(
                doubts=4,
                drain=lambda ends, deadline: self.events.append(("drain", ends)),
                settle=lambda deadline: self.events.append("settle"),
                pause=lambda: self.events.append("pause"),
                resume=lambda: self.events.append("resume"),
                scan_to=lambda ends, deadline: self.events.append(("scan", ends)),
                late_markers=self._late_markers,
                unknown_cuids=lambda: self.unknown,
                index_marks=SimpleNamespace(unexplained=self._unexplained),
            ),
            findings=self.findings,
            verifier=SimpleNamespace(
                rounds=SimpleNamespace(suspend=contextlib.nullcontext), finish=self._finish, risky=set, accepted=dict,
                doubt=self.doubted.update,
            ),
            builder=SimpleNamespace(busy=False),
            inventory={},
            keys=SimpleNamespace(guard=SimpleNamespace(examine=lambda source, deadline, most: self.keys)),
            choice=SimpleNamespace(select=lambda source: source),
            settle_on=self._settle_on,
            doubt_definitions=lambda: self.events.append("doubt"),
            all_calm=lambda: True,
            apart=lambda source: None,
            end_ticks=self._end_ticks,
            subjects=list,
            unexplained=lambda: [f"{database} {cuid}" for database, cuid in self.unknown],
            indexes=SimpleNamespace(hand_over=lambda: None, missing=lambda: 0, late=lambda source: self.jobs),
        )
        self.world: Any = SimpleNamespace(
            source=SimpleNamespace(
                fronts={"CRDN-1": "CRDN-1", "CRDN-2": "CRDN-2"}, coordinators="source", version="3.12.4"
            ),
            target="target",
            target_version=(3, 12, 4),
            target_version_text="3.12.4",
            lease=SimpleNamespace(check=self._check),
            users=SimpleNamespace(sync=lambda: self.events.append("users")),
            result=Record(self.store, "result"),
            decision=SimpleNamespace(values={"attempt": 3}),
            paths=Paths(directory),
            spec=SimpleNamespace(checksum_seconds=2.0, shape=Shape()),
        )
        self.running.world = self.world
        monkeypatch.setattr(module.inv, "read", self._read)
        monkeypatch.setattr(module, "problems", lambda source, target, version: [])
        monkeypatch.setattr(module.proof, "prove", self._prove)

    def _unexplained(self, source: object, read_at: float) -> list[str]:
        self.read_at.append(read_at)
        return self.marks

    def live(self) -> LiveWorld:
        stop: Any = SimpleNamespace(wait=lambda seconds: False)
        return LiveWorld(self.world, self.running, self.findings, stop)

    def _read(self, front: str) -> dict[str, DatabaseDef]:
        return {name: DatabaseDef(name, name, {}, {}, {}, {}) for name in self.seen[front]}

    def _settle_on(self, source: dict[str, DatabaseDef]) -> None:
        self.events.append("follow")
        self.running.inventory = source

    def _end_ticks(self) -> dict[str, int]:
        self.events.append("ends")
        return ENDS

    def _late_markers(self) -> LateMarkers:
        self.events.append("late")
        return LateMarkers(self.late)

    def _check(self) -> None:
        if self.lease_lost:
            raise LeaseLostError("CUT-LEASE-2", "the lease is held by another agent")

    def _finish(self, _deadline: Deadline) -> list[str]:
        self.events.append("verified")
        return list(self.staying)

    def _prove(self, *_sides: Any, **_options: Any) -> Result:
        return Result(differences=list(self.differences), differing=set(self.differing))


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Case:
    return Case(tmp_path, monkeypatch)


def test_definitions_that_agree_are_settled(case: Case) -> None:
    case.live().settle_definitions(Deadline(5.0))
    assert case.events == ["follow"]


def test_i3_coordinators_that_disagree_are_not_settled(case: Case) -> None:
    case.seen["CRDN-2"] = ["shop", "born-a-second-ago"]
    with pytest.raises(CutoverError) as failed:
        case.live().settle_definitions(Deadline(0.05))
    assert failed.value.code == "CUT-CUTOVER-2"
    assert case.events == []


def test_i3_unknown_shards_are_not_settled(case: Case) -> None:
    case.unknown = {("shop", "c99/s100")}
    with pytest.raises(CutoverError) as failed:
        case.live().settle_definitions(Deadline(0.05))
    assert failed.value.code == "CUT-CUTOVER-2"


@pytest.mark.parametrize(
    ("part", "value"), [("all_calm", False), ("indexes.missing", 2), ("apart", "1 shards are not copied")]
)
def test_i3_what_is_still_being_copied_or_built_is_not_settled(case: Case, part: str, value: object) -> None:
    *where, name = part.split(".")
    setattr(case.running.indexes if where else case.running, name, lambda *_parts: value)
    with pytest.raises(CutoverError) as failed:
        case.live().settle_definitions(Deadline(0.05))
    assert failed.value.code == "CUT-CUTOVER-2"


@pytest.mark.parametrize("step", ["settle_definitions", "drain", "late_writes", "prove"])
def test_i3_a_doubt_since_the_attempt_began_leads_to_the_way_back(case: Case, step: str) -> None:
    live = case.live()
    case.running.plane.doubts += 2
    with pytest.raises(CutoverError) as failed:
        getattr(live, step)(Deadline(5.0))
    assert failed.value.code == "CUT-CUTOVER-3"
    with pytest.raises(CutoverError):
        live.note_opening()
    assert not live.opening_noted()
    assert case.events == []


def test_i3_a_doubt_that_comes_up_while_definitions_settle_leads_to_the_way_back(case: Case) -> None:
    live = case.live()
    case.running.settle_on = lambda source: setattr(case.running.plane, "doubts", 5)
    with pytest.raises(CutoverError) as failed:
        live.settle_definitions(Deadline(5.0))
    assert failed.value.code == "CUT-CUTOVER-3"


def test_i3_an_index_that_only_the_logs_know_is_not_settled(case: Case) -> None:
    case.marks = ["shop/things: index by_v was made a moment ago"]
    with pytest.raises(CutoverError, match="by_v was made") as failed:
        case.live().settle_definitions(Deadline(0.05))
    assert failed.value.code == "CUT-CUTOVER-2"


def test_i3_an_index_that_the_drain_brings_up_leads_to_the_way_back(case: Case) -> None:
    """It is held against the definitions as they were read before the drain."""
    live = case.live()
    live.settle_definitions(Deadline(5.0))
    case.marks = ["shop/things: index by_v was made a moment ago"]
    with pytest.raises(CutoverError, match="by_v was made") as failed:
        live.drain(Deadline(5.0))
    assert failed.value.code == "CUT-CUTOVER-2"
    assert case.read_at[0] == case.read_at[1] > 0.0


def test_i1_the_drain_reads_to_the_ends_and_settles_lost_answers(case: Case) -> None:
    assert case.live().drain(Deadline(5.0)) == ENDS
    assert case.events == ["ends", ("drain", ENDS), "settle", "users"]


def test_i5_late_writes_are_looked_for_up_to_the_ends_of_now(case: Case) -> None:
    case.late = 4
    assert case.live().late_writes(Deadline(5.0)) == 4
    assert case.events == ["ends", ("scan", ENDS), "late"]


@pytest.mark.parametrize("server", ["CRDN-1", "CRDN-2"])
def test_i5_definitions_that_changed_since_they_were_settled_lead_to_the_way_back(case: Case, server: str) -> None:
    """Whichever coordinator shows it first; what is told is what has changed."""
    live = case.live()
    live.settle_definitions(Deadline(5.0))
    live.check_definitions()
    case.seen[server] = ["shop", "born-behind-the-fence"]
    with pytest.raises(CutoverError, match="database born-behind-the-fence") as failed:
        live.check_definitions()
    assert failed.value.code == "CUT-CUTOVER-2"


@pytest.mark.parametrize("server", ["CRDN-1", "PRMR-a"])
def test_i5_one_server_that_is_not_read_only_is_no_fence(
    case: Case, monkeypatch: pytest.MonkeyPatch, server: str
) -> None:
    """Servers that came since the fence are asked too, and the status shows what they said."""
    modes = {"CRDN-1": "readonly"}
    case.world.source.refresh = lambda: modes.update({"PRMR-a": "readonly", **lifted})
    monkeypatch.setattr(module.fence, "read_modes", lambda source, timeout: dict(modes))
    lifted: dict[str, str] = {}
    case.live().check_fence(Deadline(5.0))
    lifted[server] = "default"
    with pytest.raises(CutoverError, match=rf"{server} \(default\)") as failed:
        case.live().check_fence(Deadline(5.0))
    assert failed.value.code == "CUT-FENCE-5"
    assert case.running.modes[server] == "default"


def test_i5_what_the_verification_finds_last_is_a_difference(case: Case) -> None:
    case.staying = ["shop/things key k1: altered"]
    assert case.live().prove(Deadline(5.0)).differences == case.staying
    assert case.events == ["verified"]


def test_i5_what_the_proof_finds_different_is_compared_anew(case: Case) -> None:
    """Otherwise the next attempt would fail in the same way, and so on."""
    case.differences = ["shop/things: 2 documents on the source, 1 on the target"]
    case.differing = {Subject("shop", "things")}
    assert not case.live().prove(Deadline(5.0)).proved
    assert case.doubted == {("shop", "things")}


def test_i9_findings_that_came_meanwhile_are_differences(case: Case) -> None:
    assert case.live().prove(Deadline(5.0)).proved
    case.findings.report(Finding("CUT-DATA-3", "error", "shop/things", "refused", "change it", "k"))
    assert not case.live().prove(Deadline(5.0)).proved


def test_i3_a_shard_in_the_logs_that_is_not_copied_is_a_difference(case: Case) -> None:
    case.unknown = {("shop", "c99/s100")}
    assert case.live().prove(Deadline(5.0)).differences == ["shard shop c99/s100 is not copied"]


def test_i7_an_agent_without_a_certain_lease_does_not_open(case: Case) -> None:
    case.lease_lost = True
    live = case.live()
    with pytest.raises(LeaseLostError):
        live.note_opening()
    assert not live.opening_noted()
    assert case.store.documents == {}


def test_i7_an_opening_is_noted_after_what_a_restart_needs_for_it(case: Case) -> None:
    live = case.live()
    case.store.before = lambda name: case.events.append((name, live.opening_noted()))
    live.note_opening()
    assert live.opening_noted()
    assert ("create result", False) in case.events
    assert case.store.documents["result"].body["late"][0]["indexes"][0] == {"name": "expiry"}
    live.clear_notes()
    assert not live.opening_noted()


def test_i5_nothing_is_applied_from_the_opening_on(case: Case) -> None:
    """Paused before the opening is noted; a way back goes on."""
    live = case.live()
    case.store.before = case.events.append
    live.note_opening()
    assert case.events.index("pause") < case.events.index("create result")
    case.running.plane.end_watch = lambda: case.events.append("end watch")
    live.end_watch()
    assert case.events[-1] == "resume"


def test_i5_keys_that_grew_too_large_since_the_gate_are_a_difference(case: Case) -> None:
    case.keys = Answer(open=["shop/things"], largest=900, next=17)
    result = case.live().prove(Deadline(5.0))
    assert not result.proved
    assert result.keys == case.keys.document()
    case.keys.accepted = "applications give their keys"
    assert case.live().prove(Deadline(5.0)).proved
