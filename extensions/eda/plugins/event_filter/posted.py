# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Events that an agent has posted, in the form of the event source: none twice, none replayed, gaps told."""

from __future__ import annotations

import logging
from datetime import datetime, timezone
from typing import Any

DOCUMENTATION = r"""
short_description: Events that an agent has posted to a webhook
description:
  - Takes what the agent has posted out of the webhook's C(payload), so that a rule is the same for a webhook and for
    the event source P(cutover.arangodb.migration#event_source).
  - An event that came before, or that was sent too long ago, is left out. The webhook has verified the signature, of
    which the time of sending is a part.
  - Where numbers are missing, an event of the kind V(missed) comes first. Its C(missed) is how many were not received.
  - Events of anybody else are left as they are.
options:
  max_age:
    description: Age in seconds of the sending from which on an event is left out. The clocks of both hosts count.
    type: float
    default: 300
"""

EXAMPLES = r"""
- ansible.eda.webhook:
    host: 0.0.0.0
    port: 5000
    certfile: /etc/eda/cert.pem
    keyfile: /etc/eda/key.pem
    hmac_secret: "{{ webhook_secret }}"
  filters:
    - cutover.arangodb.posted:
        max_age: 120
"""

LOG = logging.getLogger(__name__)
# Streams of which the last number is remembered: one for each agent that posts here.
MOST_STREAMS = 1000
_last: dict[str, int] = {}


def main(event: dict[str, Any], max_age: float = 300.0) -> list[dict[str, Any]]:
    """Entry point of ansible-rulebook: what is handed on for one event of the source."""
    posted = event.get("payload")
    if not isinstance(posted, dict) or not {"stream", "sequence", "sent_at", "kind"} <= set(posted):
        return [event]
    stream, number = str(posted["stream"]), int(posted["sequence"])
    age = _age(str(posted["sent_at"]))
    if abs(age) > max_age:
        LOG.warning("event %d of stream %s was sent %.0f s ago, left out", number, stream, age)
        return []
    last = _last.get(stream)
    if last is not None and number <= last:
        LOG.info("event %d of stream %s came again, left out", number, stream)
        return []
    if last is None and len(_last) >= MOST_STREAMS:
        _last.pop(next(iter(_last)))
    _last[stream] = number
    missed = 0 if last is None else number - last - 1
    gap = {"kind": "missed", "migration": posted.get("migration"), "at": posted.get("at"), "missed": missed}
    return [gap, posted] if missed else [posted]


def _age(sent_at: str) -> float:
    """Seconds since a time of the form 2026-01-31T12:00:00.000Z."""
    sent = datetime.strptime(sent_at, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
    return (datetime.now(timezone.utc) - sent).total_seconds()
