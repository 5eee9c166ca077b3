# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What counts as covered, what a restart keeps, and what the cutover may rely on (design §5 step 7)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.clock import Deadline
from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.acceptance import digest
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.findings import Finding, Findings
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.inspection import CollectionId
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.likeness import Likeness
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.verify.pace import Pace
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.verify.verifier import Options, Verifier
from tests.unit.plugins.module_utils._engine.verify.two_sides import THINGS, DataPath


class Case:
    """A verifier over two sides; threads run only after ``start``."""

    def __init__(self, directory: Path, likeness: Likeness = Likeness.REVISION) -> None:
        self.directory = directory
        self.path = DataPath()
        self.path.likeness = likeness
        self.findings = Findings()
        for number in range(40):
            self.path.write(f"k{number}", number)
        self.path.apply()
        self.verifier = self.make()

    def make(self, *, repair: bool = True, inherited: bool = False) -> Verifier:
        verifier = Verifier(
            self.path.source,
            self.path.target,
            self.path,  # type: ignore[arg-type]
            self.findings,
            self.directory,
            Options(1e6, repair, 0.01),
        )
        verifier.resume(inherited=inherited)
        return verifier

    def finish(self) -> list[str]:
        return self.verifier.finish(Deadline(5.0))


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    made = Case(tmp_path)
    yield made
    made.verifier.close(5.0)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20.0
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_i5_the_cutover_covers_what_is_not_covered(case: Case) -> None:
    del case.path.target.documents["k7"]
    assert case.finish() == []
    assert case.path.target.documents == case.path.source.documents
    assert case.path.source.scans == 1
    assert case.verifier.report()["methods"] == {"keys, revisions and contents": 1, "keys and revisions": 0}


def test_i5_where_the_target_makes_revisions_contents_are_compared(tmp_path: Path) -> None:
    """Whole documents from the first comparison on; revisions that differ are no difference, contents are."""
    case = Case(tmp_path, Likeness.CONTENT)
    target = case.path.target.documents
    try:
        assert case.finish() == []
        assert case.path.repairs == []
        target["k3"] = (target["k3"][0], -3)
        target["k4"] = (1 << 60, -4)
        del target["k5"]
        target["more"] = (1 << 60, 1)
        case.verifier.rounds.invalidate(THINGS)
        assert case.finish() == []
        assert sorted(key for keys in case.path.repairs for key in keys) == ["k3", "k4", "k5", "more"]
        assert {key: value for key, (_rev, value) in target.items()} == {f"k{number}": number for number in range(40)}
        texts = {item["key"]: (item["code"], item["message"]) for item in case.findings.all()}
        assert texts["k3"] == ("CUT-VERIFY-1", "the document had another content on the target and was repaired")
        assert texts["more"][0] == "CUT-VERIFY-3"
        methods = case.verifier.report()["methods"]
        assert methods["keys and contents, as the target has revisions of its own"] == 1
        assert methods["keys and revisions"] == methods["keys, revisions and contents"] == 0
        assert case.verifier.risky() == {("db", "things")}, "put right, and not: never compared by contents"
    finally:
        case.verifier.close(5.0)


def test_i5_what_is_covered_is_not_compared_again_but_what_was_written_since_is(case: Case) -> None:
    case.finish()
    case.path.write("k3", 99)
    case.path.apply()
    del case.path.target.documents["k3"]
    assert case.finish() == []
    assert case.path.source.scans == 1
    assert case.path.target.documents == case.path.source.documents


@pytest.mark.parametrize("what", ["copied again", "truncated", "more keys than could be kept"])
def test_i5_a_disturbed_collection_is_compared_anew(case: Case, what: str) -> None:
    case.finish()
    if what == "copied again":
        case.path.disturbance += 1
    elif what == "truncated":
        case.path.truncate()
    else:
        case.verifier.touched._lost.add(THINGS)
    case.finish()
    assert case.path.source.scans == 2


def test_i5_what_the_proof_found_different_is_compared_anew(case: Case) -> None:
    """Damage after the comparison that no written key tells of."""
    case.finish()
    del case.path.target.documents["k7"]
    case.verifier.doubt([("db", "others")])
    case.finish()
    assert "k7" not in case.path.target.documents
    case.verifier.doubt([("db", "things")])
    assert case.finish() == []
    assert case.path.target.documents == case.path.source.documents


def test_i5_a_disturbance_during_a_comparison_makes_it_void(case: Case) -> None:
    def disturb() -> None:
        case.path.source.reading = lambda: None
        case.path.disturbance += 1

    case.path.source.reading = disturb
    case.finish()
    assert case.path.source.scans == 2


def test_i5_differences_that_nobody_repairs_are_told_at_the_cutover(case: Case) -> None:
    case.verifier = case.make(repair=False)
    del case.path.target.documents["k7"]
    assert case.finish() == ["db/things key k7: missing"]
    assert case.findings.blocking()[0]["key"] == "k7"


def test_i5_what_cannot_be_applied_in_time_ends_the_attempt(case: Case) -> None:
    case.finish()
    case.path.write("k3", 99)
    case.path.reachable = False
    with pytest.raises(CutoverError) as ended:
        case.verifier.finish(Deadline(0.2))
    assert ended.value.code == "CUT-VERIFY-11"


def test_a_collection_that_is_not_calm_is_waited_for(case: Case) -> None:
    case.path.calm = False
    with pytest.raises(CutoverError) as ended:
        case.verifier.finish(Deadline(0.2))
    assert "1 collections are not compared" in ended.value.message


def test_a_restart_goes_on_with_what_was_covered(case: Case) -> None:
    case.finish()
    case.path.write("k3", 99)
    case.path.apply()
    case.verifier.save()
    del case.path.target.documents["k3"]
    case.verifier = case.make()
    case.finish()
    assert case.path.source.scans == 1
    assert case.path.target.documents == case.path.source.documents


def test_i5_nothing_is_covered_on_disk_whose_leftovers_are_not(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """A comparison that ends in the middle of a checkpoint, and a kill before the next one."""
    verifier, save = case.verifier, case.verifier.keys.save
    del case.path.target.documents["k7"]

    def compare_meanwhile() -> None:
        if verifier.coverage.get(THINGS) is None:
            verifier.rounds.compare(THINGS, case.path.standings()[THINGS])
        save()

    monkeypatch.setattr(verifier.keys, "save", compare_meanwhile)
    verifier.save()
    case.verifier = case.make()
    assert case.finish() == []
    assert case.path.target.documents == case.path.source.documents


def test_i5_after_a_restart_what_must_be_copied_again_is_not_covered(case: Case) -> None:
    case.finish()
    case.verifier.save()
    case.path.adopted = False
    case.verifier = case.make()
    case.finish()
    assert case.path.source.scans == 2


def test_i5_after_a_take_over_and_back_nothing_is_covered(case: Case) -> None:
    """What the other agent has written is on no list of this disk."""
    case.finish()
    case.verifier.save()
    case.verifier = case.make(inherited=True)
    case.finish()
    assert case.path.source.scans == 2


def test_after_a_restart_findings_are_looked_at_again(case: Case) -> None:
    """What was put right meanwhile blocks nobody."""
    case.finish()
    case.verifier.save()
    case.findings.report(Finding("CUT-VERIFY-2", "error", "db/things", "missing", "", key="k1"))
    case.verifier = case.make()
    case.finish()
    assert case.findings.blocking() == []


def test_state_of_a_newer_version_is_refused(case: Case) -> None:
    (case.directory / "coverage.json").write_text('{"format": 99}')
    with pytest.raises(CutoverError) as refused:
        case.make()
    assert refused.value.code == "CUT-DISK-2"


def test_rounds_go_on_and_find_damage(case: Case) -> None:
    """The status tells how far it is."""
    verifier = case.verifier
    assert verifier.blockers(5.0) == [
        "1 of 1 collections are not compared as a whole yet since their last copy or repair"
    ]
    assert verifier.document()["state"] == "comparing"
    verifier.start()
    until(lambda: verifier.document()["state"] == "watching")
    until(lambda: verifier.document()["verified_up_to"] is not None)
    assert verifier.blockers(5.0) == []
    case.path.target.documents["k9"] = (case.path.target.documents["k9"][0], -1)
    until(lambda: verifier.document()["repaired"] == 1)
    assert verifier.document()["round"] > 1
    assert case.path.target.documents == case.path.source.documents
    found = verifier.verified_up_to(THINGS, "PRMR-a")
    assert found is not None
    assert found[0] == case.path.ticks()["PRMR-a"]


def codes(case: Case) -> list[str]:
    return [item["code"] for item in case.findings.blocking()]


def of_one_revision(case: Case, one: str, other: str) -> None:
    """The target keeps only one of two documents: writing the one loses the other."""
    repair, target = case.path.repair, case.path.target.documents

    def lose(collection: CollectionId, keys: Sequence[bytes]) -> None:
        repair(collection, keys)
        for written, lost in ((one, other), (other, one)):
            if written.encode() in keys:
                target.pop(lost, None)

    case.path.repair = lose  # type: ignore[method-assign]
    del target[one]


def test_i9_repairs_that_come_back_round_after_round_end_in_a_finding(case: Case) -> None:
    """Nothing of it is left when a round finds the collection equal."""
    of_one_revision(case, "k1", "k2")
    case.verifier.start()
    until(lambda: "CUT-VERIFY-5" in codes(case))
    found = next(item for item in case.findings.blocking() if item["code"] == "CUT-VERIFY-5")
    assert (found["where"], found["key"]) == ("db/things", None)
    assert "3 rounds in a row" in found["message"]
    tried = case.path.repairs.copy()
    assert tried[:3] == [["k1"], ["k2"], ["k1"]]
    later = case.verifier.coverage.round + 2
    until(lambda: case.verifier.coverage.round >= later)
    assert case.path.repairs == tried
    assert codes(case)
    case.path.target.documents.update(case.path.source.documents)
    until(lambda: codes(case) == [])


def test_i9_a_restart_does_not_end_what_comes_back(case: Case) -> None:
    of_one_revision(case, "k1", "k2")
    case.verifier.start()
    until(lambda: "CUT-VERIFY-5" in codes(case))
    tried = case.path.repairs.copy()
    case.verifier.close(5.0)
    case.verifier.save()
    case.verifier = case.make()
    case.verifier.start()
    later = case.verifier.coverage.round + 2
    until(lambda: case.verifier.coverage.round >= later)
    assert "CUT-VERIFY-5" in codes(case)
    assert case.path.repairs == tried
    case.path.target.documents.update(case.path.source.documents)
    until(lambda: codes(case) == [])


def test_what_was_accepted_is_not_repaired_again(case: Case) -> None:
    """The rest is the same: so nothing blocks any more, and nothing begins anew."""
    of_one_revision(case, "k1", "k2")
    case.verifier.start()
    until(lambda: codes(case) == ["CUT-VERIFY-5", "CUT-VERIFY-2"])
    stays, tried = case.findings.blocking()[1]["id"], case.path.repairs.copy()
    case.findings.accept({digest(stays): {"reason": "one of two"}})
    until(lambda: codes(case) == [])
    later = case.verifier.coverage.round + 2
    until(lambda: case.verifier.coverage.round >= later)
    assert codes(case) == []
    assert case.path.repairs == tried


def test_damage_now_and_then_is_repaired_each_time(case: Case) -> None:
    verifier = case.verifier
    verifier.start()
    for time_ in range(1, 5):
        del case.path.target.documents["k9"]
        until(lambda expected=time_: verifier.document()["repaired"] == expected)  # type: ignore[misc]
        later = verifier.coverage.round + 2
        until(lambda number=later: verifier.coverage.round >= number)  # type: ignore[misc]
    assert codes(case) == []
    assert case.path.target.documents == case.path.source.documents


@pytest.mark.parametrize("code", ["CUT-VERIFY-2", "CUT-VERIFY-5"])
def test_a_restart_forgets_findings_of_collections_that_are_gone(case: Case, code: str) -> None:
    case.findings.report(Finding(code, "error", "db/gone", "differs", "", key="k1" if code == "CUT-VERIFY-2" else None))
    case.verifier = case.make()
    assert case.findings.blocking() == []


def test_i5_what_the_data_path_knows_since_the_last_look_blocks_at_once(case: Case) -> None:
    """The comparing thread had seen no collection yet, or the collection as it was before a repair."""
    standings, case.path.standings = case.path.standings, dict
    assert case.verifier.rounds.choose() is None
    case.path.standings = standings
    assert len(case.verifier.blockers(5.0)) == 1
    case.finish()
    assert case.verifier.blockers(5.0) == []
    case.path.disturbance += 1
    assert len(case.verifier.blockers(5.0)) == 1
    assert case.verifier.document()["verified_up_to"] is None


def test_what_was_written_is_read_back_before_the_fence(case: Case) -> None:
    """A server in trouble at that moment hinders nobody."""
    case.finish()
    case.path.write("k3", 99)
    case.path.apply()
    case.verifier.freshen(Deadline(5.0))
    assert case.verifier.touched.empty
    case.path.write("k4", 99)
    case.path.apply()

    def broken() -> None:
        raise OSError("reset")

    case.path.source.reading = broken
    case.verifier.freshen(Deadline(5.0))
    assert not case.verifier.touched.empty


def test_i5_versions_that_hash_differently_compare_contents_in_later_rounds(case: Case) -> None:
    """The first comparison is by keys and revisions; written keys are read back as whole documents at once."""
    case.path.target.seed = 1
    verifier = case.verifier
    verifier.start()
    until(lambda: verifier.document()["state"] == "watching")
    assert case.findings.all() == []
    case.path.target.documents["k9"] = (case.path.target.documents["k9"][0], -1)
    until(lambda: verifier.document()["repaired"] == 1)
    assert case.path.target.documents == case.path.source.documents
    until(lambda: verifier.report()["methods"]["keys, revisions and contents"] == 1)


def test_rounds_rest_while_the_migration_is_paused(case: Case) -> None:
    case.path.paused = True
    case.verifier.start()
    time.sleep(0.3)
    assert case.path.source.scans == 0
    assert case.verifier.document()["state"] == "paused"
    case.path.paused = False
    until(lambda: case.path.source.scans > 0)


def test_trouble_is_told_and_passes(case: Case) -> None:
    def refuse() -> None:
        raise CutoverError("CUT-HTTP-1", "no answer", retriable=True)

    case.path.source.reading = refuse
    case.verifier.start()
    until(lambda: [item["code"] for item in case.findings.all()] == ["CUT-VERIFY-4"])
    case.path.source.reading = lambda: None
    until(lambda: case.findings.all() == [])


def test_the_rate_is_kept_and_can_be_changed() -> None:
    """By what has to be waited for, not by the clock of a busy machine."""
    waited: list[float] = []
    stop = threading.Event()
    stop.wait = lambda seconds=None: bool(waited.append(seconds))  # type: ignore[method-assign,assignment,func-returns-value]
    pace = Pace(1000.0, stop)
    pace.spend(500)
    pace.spend(500, share=0.5)
    pace.rate = 100.0
    pace.spend(100)
    pace.spend(10**9, share=float("inf"))
    assert [round(seconds, 1) for seconds in waited[:3]] == [0.5, 1.5, 2.5]
