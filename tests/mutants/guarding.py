# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Defects in the way back, the guard and the rescue (design §5, dead man's guard)."""

from __future__ import annotations

from tests.mutants.mutant import Mutant, mutant

GUARDING: tuple[Mutant, ...] = (
    mutant(
        "guard-before-its-time",
        "the guard acts when the attempt's time is over",
        "design §5, I7",
        "guard.py",
        "            elif note.due_in(self._clocks, self._scale) > 0:\n",
        "            elif note.due_in(self._clocks, self._scale) > 1e9:\n",
        "test_guard.py::test_i6_a_fence_whose_time_is_over_is_lifted_by_the_record",
    ),
    mutant(
        "guard-lifts-a-foreign-fence",
        "the fence of an agent that took over is not the guard's business",
        "design §4.8, I7",
        "guard.py",
        '            if state != record.NONE and decision.values.get("agent") != note.agent:\n',
        "            if state is None:\n",
        "test_guard.py::test_i7_another_agents_fence_is_not_lifted",
    ),
    mutant(
        "guard-blind-after-an-opening",
        "an opening that was tried keeps the fence when the journal cannot be reached",
        "design §5, I7",
        "guard.py",
        "            # While the agent lived it may have tried one; now it cannot any more.\n"
        "            if self._paths.opening.exists():\n",
        "            if problem is None:\n",
        "test_guard.py::test_i7_the_agents_last_act_may_have_been_an_opening",
    ),
    mutant(
        "guard-blind-beside-a-living-agent",
        "without the journal the agent is ended before the fence is lifted",
        "design §5, I7",
        "guard.py",
        "        with self._reach.hold_agent():\n",
        "        with self._reach.source(note):\n",
        "test_guard.py::test_i6_without_the_journal_the_agent_is_ended_first",
    ),
    mutant(
        "guard-blind-for-ever",
        "a fence is lifted without the record only while no other agent can have fenced",
        "design §4.8, I7",
        "fence_note.py",
        "return self.recorded and self.due_in(clocks, time_scale) > -BLIND_SECONDS * time_scale",
        "return self.recorded",
        "test_guard.py::test_i7_without_the_journal_it_alarms_where_it_cannot_know",
        "test_guard.py::test_a_take_over_is_quiet_for_longer_than_the_guard_may_act_alone",
    ),
    mutant(
        "guard-blind-unrecorded",
        "a fence whose intent is not recorded is not lifted without the record",
        "design §4.8, I7",
        "fence_note.py",
        "return self.recorded and self.due_in(clocks, time_scale)",
        "return self.due_in(clocks, time_scale)",
        "test_guard.py::test_i7_without_the_journal_it_alarms_where_it_cannot_know",
    ),
    mutant(
        "way-back-unnamed",
        "whoever takes the way back is named in the record before it touches the source",
        "design §5, I7",
        "wayback.py",
        "    decision.advance(record.ROLLING_BACK, reason=reason, participants=sorted(participants))\n",
        "    if decision.state != record.ROLLING_BACK:\n"
        "        decision.advance(record.ROLLING_BACK, reason=reason, participants=sorted(participants))\n",
        "test_cutover.py::test_i7_nobody_lifts_a_fence_unnamed",
    ),
    mutant(
        "no-quiet-after-others",
        "no new fence goes up while another participant of the way back may be slow",
        "design §5, I7",
        "wayback.py",
        'return 0.0 if values.get("quiet_but") == agent else float(values.get("quiet_seconds") or 0.0)',
        "return 0.0",
        "test_cutover.py::test_i7_after_another_agents_attempt_the_source_is_left_in_peace_for_a_while",
    ),
    mutant(
        "late-fence-left",
        "a fence that goes up after the way back is lifted",
        "design §5, I6",
        "wayback.py",
        "    if former != DEFAULT or summary(source.shown_modes()) == DEFAULT:\n",
        "    if former:\n",
        "test_cutover.py::test_i6_a_fence_that_goes_up_after_somebody_took_the_way_back_is_lifted",
        "test_guard.py::test_i6_a_fence_that_went_up_after_the_way_back_is_lifted",
    ),
    mutant(
        "missing-guard-not-told",
        "a fence without a guard is warned of",
        "design §5",
        "guard_watch.py",
        "if self._required or guard_lives(self._directory):",
        "if self._required:",
        "test_guard.py::test_a_missing_guard_is_a_warning_unless_it_is_required",
    ),
    mutant(
        "begun-cutover-told-as-not-begun",
        "after a restart an attempt that the guard took back is told as taken back",
        "design §5, I6",
        "stop_requests.py",
        "            if migration.attempts >= attempt.number:\n",
        "            if migration.attempts > attempt.number:\n",
        "test_lost_stop.py::test_how_it_ended_is_told_by_the_record",
    ),
    mutant(
        "rescue-after-the-decision",
        "a rescue that comes after the decision touches nothing",
        "design §5, I7",
        "rescue.py",
        "    if state in record.DECIDED_OPEN or state in record.REVOCATION:\n",
        "    if state in record.REVOCATION:\n",
        "test_rescue.py::test_i7_a_decided_opening_is_not_touched",
    ),
)
