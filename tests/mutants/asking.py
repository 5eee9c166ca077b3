# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Defects in what a precheck asks beyond its table: the throw-away database, the forecast (design §7)."""

from __future__ import annotations

from tests.mutants.mutant import UNIT, Mutant, mutant

ASKING: tuple[Mutant, ...] = (
    mutant(
        "foreign-while-made",
        "what the agent at work makes between two readings is nobody's data that has to be destroyed",
        "design §7",
        "precheck/target_facts.py",
        "own = (before.databases, self._own_now().databases)",
        "own = (before.databases,)",
        f"{UNIT}precheck/test_target_moves.py::test_what_is_made_or_dropped_meanwhile_is_not_foreign",
    ),
    mutant(
        "trial-without-leave",
        "nothing is written to the target without probe_target",
        "design §7",
        "precheck/context.py",
        'self._memo.get("trial", self._try_out) if self.asked.probe_target else None',
        'self._memo.get("trial", self._try_out)',
        f"{UNIT}precheck/test_rows.py::test_nothing_is_written",
    ),
    mutant(
        "trial-takes-a-strangers-database",
        "a database that is there already is neither used nor removed",
        "design §7",
        "precheck/trial.py",
        "        if database in _databases(target):\n",
        "        if database in _databases(target) and not tries:\n",
        f"{UNIT}precheck/test_trial.py::test_a_database_that_is_there_is_not_touched",
    ),
    mutant(
        "trial-not-removed",
        "the throw-away database is removed after a failure, too",
        "design §7",
        "precheck/trial.py",
        "    finally:\n        left = _remove(target, database)\n",
        "    except KeyError:\n        pass\n    left = _remove(target, database)\n",
        f"{UNIT}precheck/test_trial.py::test_it_is_removed_after_a_failure",
    ),
    mutant(
        "trial-perhaps-made-forgotten",
        "a database whose making was not answered is removed, or named",
        "design §7",
        "precheck/trial.py",
        "_remove(target, database, perhaps_later=True) if made_perhaps else None",
        "None",
        f"{UNIT}precheck/test_trial.py::test_one_that_was_perhaps_made_is_removed",
    ),
    mutant(
        "followers-writes-counted",
        "only the leaders' markers count as writes",
        "facts §5.6",
        "precheck/writers.py",
        "        if (server, shard) in leads\n",
        "",
        f"{UNIT}precheck/test_forecast.py::test_only_the_leaders_markers_count_and_a_part_stands_for_the_whole",
    ),
    mutant(
        "sample-at-full-speed",
        "the source is read gently",
        "design §4.10",
        "precheck/sampling.py",
        "        stop.wait(min(deadline.remaining(), max(0.0, len(batch.body) / most - taken)))\n",
        "",
        f"{UNIT}precheck/test_forecast.py::test_the_source_is_read_gently",
    ),
)
