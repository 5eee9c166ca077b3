# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Defects in posting events to a webhook: order, repetition, signature, bounds."""

from __future__ import annotations

from tests.mutants.mutant import Mutant, mutants_of

_mutant = mutants_of(
    "webhook", "plugins/module_utils/_agent/", "tests/unit/plugins/module_utils/_agent/test_webhook.py"
)

POSTING: tuple[Mutant, ...] = (
    _mutant(
        "webhook-newest-first",
        "the oldest event is delivered first",
        "outbox.py",
        "return self._events[0] if self._events else None",
        "return self._events[-1] if self._events else None",
        "test_an_event_is_tried_until_it_is_taken[500]",
    ),
    _mutant(
        "webhook-gives-up",
        "an event that was not taken is tried again before those behind it",
        "webhook.py",
        'self._went_wrong(error.message.replace(self._request, "POST"))',
        'self._went_wrong(error.message.replace(self._request, "POST"))\n                self._outbox.delivered(event)',
        "test_an_event_is_tried_until_it_is_taken[500]",
    ),
    _mutant(
        "webhook-any-answer",
        "only a status from 200 to 299 says that the event was taken",
        "webhook.py",
        "if not 200 <= answer.status < 300:",
        "if not 200 <= answer.status < 600:",
        "test_an_event_is_tried_until_it_is_taken[500]",
    ),
    _mutant(
        "webhook-signs-something-else",
        "the signature is that of the body as it is sent",
        "webhook.py",
        "SIGNATURE_HEADER: signature(self._secret, body)}",
        "SIGNATURE_HEADER: signature(self._secret, body_of(event, 'now'))}",
        "test_events_are_posted_signed_and_in_order",
    ),
    _mutant(
        "webhook-time-unsigned",
        "the time of sending is signed, too",
        "webhook.py",
        'body = json.dumps({**event, "sent_at": sent_at}',
        "body = json.dumps({**event}",
        "test_the_signature_is_that_of_the_whole_body",
    ),
    _mutant(
        "webhook-numbers-begin-anew",
        "numbers go on over a restart of the agent",
        "outbox.py",
        '"next": int(known["next"]),',
        '"next": 1,',
        "test_what_was_not_delivered_is_delivered_after_a_restart_with_its_number",
    ),
    _mutant(
        "webhook-unsaved-while-it-rests",
        "what comes while a try is waited for survives a killed agent",
        "webhook.py",
        "not deadline.expired:\n            self._outbox.save()",
        "not deadline.expired:",
        "test_a_killed_agent_has_kept_what_waits",
    ),
    _mutant(
        "webhook-forgets-the-wrong-one",
        "an event that was dropped while it was sent takes no other with it",
        "outbox.py",
        'if self._events and self._events[0]["sequence"] == event["sequence"]:',
        "if self._events:",
        "test_what_has_no_room_is_dropped_and_leaves_a_gap",
    ),
)
