# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Defects around the opening: its revocation (design §5)."""

from __future__ import annotations

from tests.mutants.mutant import Mutant, mutant

OPENING: tuple[Mutant, ...] = (
    mutant(
        "revoked-without-comparison",
        "a source is given back only after the closed target was compared",
        "design §5 step 8, I7",
        "revoke.py",
        "                self._close()\n                self._require_equal(deadline)\n",
        "                self._close()\n",
        "test_revoke.py::test_i7_a_write_just_before_the_closing_opens_the_target_again",
    ),
    mutant(
        "revoked-without-look",
        "a target that was written is not even closed",
        "design §5 step 8, I5",
        "revoke.py",
        "                self._world.check()\n                self._require_equal(deadline)\n",
        "                self._world.check()\n",
        "test_revoke.py::test_i5_a_written_target_is_not_even_closed",
    ),
    mutant(
        "revocation-forgets-the-doubt",
        "what cannot be examined opens the target again",
        "design §5 step 8, I7",
        "revoke.py",
        "            _obey(error)\n            return error\n",
        "            _obey(error)\n            return None\n",
        "test_revoke.py::test_i7_what_cannot_be_examined_opens_the_target_again",
    ),
    mutant(
        "rehearsal-opens",
        "a rehearsal takes the way back where a cutover would open",
        "design §5, I5",
        "cutover.py",
        "        if self._rehearsal:\n            raise RehearsalOverError\n",
        "",
        "test_cutover.py::test_i5_i6_a_rehearsal_ends_with_the_way_back",
    ),
    mutant(
        "keys-not-asked",
        "the key-generator question keeps the gate closed",
        "design §5 step 1, facts §3.4",
        "gate.py",
        "    if facts.keys is not None:\n",
        "    if facts.keys == 0:\n",
        "test_gate.py::test_each_reason_blocks_alone",
    ),
    mutant(
        "keys-of-the-log-forgotten",
        "keys that are written after the comparison count, too",
        "facts §3.4",
        "keys.py",
        '        self._note(collection, [key.decode("utf-8", "replace") for key in keys])\n',
        "        self._note(collection, [])\n",
        "test_keys.py::test_the_largest_of_rows_and_of_the_log",
    ),
    mutant(
        "ids-not-used-up",
        "ids below the largest migrated key are used up before the opening",
        "facts §3.4",
        "key_guard.py",
        "            self._burn(shape, largest + MARGIN, deadline)\n",
        "",
        "test_keys.py::test_what_makes_new_keys_safe",
    ),
    mutant(
        "keys-not-looked-at-again",
        "the last look at the keys is made while the source is fenced",
        "design §5 step 7, facts §3.4",
        "cutover_world.py",
        "        result.differences.extend([keys.text] if keys.text is not None else [])\n",
        "",
        "test_cutover_world.py::test_i5_keys_that_grew_too_large_since_the_gate_are_a_difference",
    ),
    mutant(
        "warmed-while-fenced",
        "the target is warmed before the source is fenced",
        "design §8",
        "cutover.py",
        "        if self._warm_up:\n            attempt",
        "        if self._warm_up and self._fenced_at:\n            attempt",
        "test_cutover.py::test_the_target_is_warmed_before_the_source_is_fenced",
    ),
    mutant(
        "late-writes-applied",
        "from the opening on nothing is applied any more",
        "design §5 step 9, I5",
        "cutover_world.py",
        "        self._need().plane.pause()\n        jobs",
        "        jobs",
        "test_cutover_world.py::test_i5_nothing_is_applied_from_the_opening_on",
    ),
    mutant(
        "revocation-ignored-by-the-opening",
        "an opening that is being revoked is not continued",
        "design §5 step 8, I7",
        "cutover.py",
        "        if self._decision.read() in record.REVOCATION:\n",
        "        if self._decision.read() == record.NONE:\n",
        "test_cutover.py::test_i7_a_revocation_in_the_record_is_obeyed",
    ),
)
