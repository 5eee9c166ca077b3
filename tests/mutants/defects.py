# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The rules of the engine, each broken in one place, with the test that must notice."""

from __future__ import annotations

from typing import NamedTuple


class Defect(NamedTuple):
    """`before` occurs once in `file` (below plugins/module_utils) and is replaced by `after`."""

    name: str
    file: str
    before: str
    after: str
    test: str


_UNIT = "tests/unit/plugins/module_utils/_engine"
_PAIR = "tests/integration"

DEFECTS = [
    Defect(
        "empty answers advance to lastscanned",
        "_engine/position.py",
        "return Position(answer.last_scanned - 1, answer.last_scanned)",
        "return Position(answer.last_scanned, answer.last_scanned)",
        f"{_UNIT}/test_tailer.py",
    ),
    Defect(
        "lastScanned is forgotten",
        "_engine/position.py",
        "return Position(answer.last_included, answer.last_scanned)",
        "return Position(answer.last_included, answer.last_included)",
        f"{_UNIT}/test_tailer.py",
    ),
    Defect(
        "frompresent is ignored",
        "_engine/tailer.py",
        "elif not answer.from_present and asked.tick < answer.last_tick:",
        "elif False:",
        f"{_UNIT}/test_tailer.py",
    ),
    Defect(
        "frompresent of an idle log counts as a gap",
        "_engine/tailer.py",
        "elif not answer.from_present and asked.tick < answer.last_tick:",
        "elif not answer.from_present:",
        f"{_UNIT}/test_tailer.py",
    ),
    Defect(
        "another data directory is not noticed",
        "_engine/tailer.py",
        "if before != end.server_id:",
        "if before is None:",
        f"{_UNIT}/test_tailer.py",
    ),
    Defect(
        "a transaction's markers are batch ends",
        "_engine/tailer.py",
        "elif marker.type == COMMIT or marker.tid == SINGLE:",
        "elif marker.tid:",
        f"{_UNIT}/test_tailer.py",
    ),
    Defect(
        "controls run inside a batch",
        "_engine/tailer.py",
        "            if not self._in_transaction:\n                self._run_controls()\n            "
        "if router.has_room():",
        "            self._run_controls()\n            if router.has_room():",
        f"{_UNIT}/test_tailer.py",
    ),
    Defect(
        "checkpoint before effect",
        "_engine/ledger.py",
        "while self._chunks and self._chunks[0].sealed and not self._chunks[0].outstanding:",
        "while self._chunks and self._chunks[0].sealed:",
        f"{_UNIT}/test_ledger.py",
    ),
    Defect(
        "held shards do not hold the restart position",
        "_engine/ledger.py",
        "return min([self._completed_end, *self._pins.values()])",
        "return self._completed_end",
        f"{_UNIT}/test_ledger.py",
    ),
    Defect(
        "coalescing keeps the first operation",
        "_engine/coalesce.py",
        "            last.pop(operation.key, None)\n            last[operation.key] = operation",
        "            last.setdefault(operation.key, operation)",
        f"{_UNIT}/test_coalesce.py",
    ),
    Defect(
        "documents are decoded and encoded",
        "_engine/marker.py",
        "return Marker(int(tick), _TYPES[kind], database, cuid, tid, key, rev, data)",
        "data = json.dumps(json.loads(data)).encode()\n"
        "        return Marker(int(tick), _TYPES[kind], database, cuid, tid, key, rev, data)",
        f"{_UNIT}/test_marker.py",
    ),
    Defect(
        "a spool counts what a full disk did not take",
        "_engine/spool.py",
        "            os.ftruncate(descriptor, self.size)\n            raise",
        "            self.size += 4\n            raise",
        f"{_UNIT}/test_spool.py",
    ),
    Defect(
        "keys of lost requests are not noted",
        "_engine/target.py",
        "                if outcome_unknown(error):\n                    unknown = True\n"
        "                    self._note(shard, keys())",
        "                if outcome_unknown(error):\n                    unknown = False",
        f"{_UNIT}/test_bulk.py",
    ),
    Defect(
        "writes do not ask the gate",
        "_engine/patience.py",
        "                self._check()\n",
        "                pass\n",
        f"{_UNIT}/test_unit.py",
    ),
    Defect(
        "errors by position are ignored",
        "_engine/bulk.py",
        "if not response.headers.get(_ERROR_CODES):",
        "if response.status < 300:",
        f"{_UNIT}/test_unit.py",
    ),
    Defect(
        "conflicts with foreign documents are not told",
        "_engine/unit.py",
        "            if not fresh:\n                return refused",
        "            if not fresh:\n                return []",
        f"{_UNIT}/test_unit.py",
    ),
    Defect(
        "cycles of unique values are not solved",
        "_engine/unit.py",
        "            self._make_room(plan, batch, fresh)\n",
        "",
        f"{_UNIT}/test_unit.py",
    ),
    Defect(
        "removes are not guarded",
        "_engine/bulk.py",
        "guarded = not plan.key_determines_shard",
        "guarded = False",
        f"{_UNIT}/test_unit.py",
    ),
    Defect(
        "revisions are compared as texts",
        "_engine/reads.py",
        "return max((decode(revision) for revision in revisions), default=-1)",
        "return max((sum(o << 8 * (15 - i) for i, o in enumerate(r.encode())) for r in revisions), default=-1)",
        f"{_UNIT}/test_recheck.py",
    ),
    Defect(
        "the re-check queue is not on disk",
        "_engine/recheck.py",
        "        self._entries: OrderedDict[int, Entry] = OrderedDict()\n        self._next = 1\n"
        "        self._size = 0\n        self._load()",
        "        self._entries: OrderedDict[int, Entry] = OrderedDict()\n        self._next = 1\n        self._size = 0",
        f"{_UNIT}/test_recheck.py",
    ),
    Defect(
        "sweeps do not guard by revision",
        "_engine/sweep.py",
        "guarded = replace(plan, key_determines_shard=False)",
        "guarded = plan",
        f"{_UNIT}/test_sweep.py",
    ),
    Defect(
        "a running pass of a sweep serves late comers",
        "_engine/sweep.py",
        "needed = passes.begun + 1",
        "needed = passes.ended + 1",
        f"{_UNIT}/test_sweep.py",
    ),
    Defect(
        "old revisions survive a truncate",
        "_engine/sweep.py",
        "or (truncated and _differs(revision, here[key]))",
        "",
        f"{_UNIT}/test_sweep.py",
    ),
    Defect(
        "revisions that restore-data does not keep are not noticed",
        "_engine/restore.py",
        "self._keeps_revisions = found is not None and found.rev == wanted.rev",
        "self._keeps_revisions = True",
        f"{_UNIT}/test_restore.py",
    ),
    Defect(
        "a silent source looks like no lag",
        "_engine/position.py",
        "if self.error is not None or silence > _SILENCE_SECONDS:",
        "if False:",
        f"{_UNIT}/test_position.py",
    ),
    Defect(
        "a shard's units are done before they are applied",
        "_engine/applier.py",
        "        try:\n            if not shard.gone:",
        "        for unit in units:\n            if unit.done is not None:\n                unit.done()\n"
        "                unit.done = None\n        try:\n            if not shard.gone:",
        f"{_UNIT}/test_applier.py",
    ),
    Defect(
        "followers' markers are taken",
        "_engine/router.py",
        "shard if shard.plan.leader == self.server_id else None",
        "shard",
        f"{_UNIT}/test_router.py",
    ),
    Defect(
        "markers in the snapshot are applied again",
        "_engine/catchup.py",
        "if marker.tick <= (shard.start_tick or 0):\n                    continue",
        "if marker.tick <= 0:\n                    continue",
        f"{_UNIT}/test_catchup.py",
    ),
    Defect(
        "a repeated copy is not swept",
        "_engine/copier.py",
        "shard.sweep_first = not shard.plan.first_copy_into_empty",
        "shard.sweep_first = False",
        f"{_PAIR}/test_dataplane.py::test_a_repeated_copy_ends_with_a_sweep",
    ),
    Defect(
        "keys of the replayed stretch are not read back",
        "_engine/catchup.py",
        "                self._recheck.note(shard.id, keys)\n",
        "                pass\n",
        f"{_PAIR}/test_dataplane.py::test_i2_a_restart_replays_and_does_not_copy_again",
    ),
    Defect(
        "late writes before the watch are not seen",
        "_engine/router.py",
        "if after is not None and self._last is not None and self._last[1].tick > after:",
        "if False:",
        f"{_UNIT}/test_router.py",
    ),
    Defect(
        "truncates are not held",
        "_engine/router.py",
        "if shard.route is Route.LIVE and marker.type == TRUNCATE:",
        "if False:",
        f"{_UNIT}/test_router.py",
    ),
    Defect(
        "retention follows the reading",
        "_engine/dataplane.py",
        "        self._retention.keep(ticks)\n        self._doubts.journaled()",
        "        self._doubts.journaled()",
        f"{_PAIR}/test_dataplane_trouble.py::test_the_log_is_kept_from_the_journaled_tick_on",
    ),
]
