# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The status document of an agent that copies for another one: the migration's state is the journal's."""

from __future__ import annotations

from typing import Any

from .._core.clock import SYSTEM_CLOCK, Clock
from . import states
from .joined import Joined
from .lease import worker_of
from .status import inactive


def build(joined: Joined, clock: Clock = SYSTEM_CLOCK) -> dict[str, Any]:
    """From memory only. Figures of the whole migration are the lead's to tell."""
    document = inactive(clock)
    spec, led, session = joined.spec, joined.led, joined.session
    state = led.state if led else states.INITIALIZING
    document.update(
        migration={"id": led.migration.get("id") if led else None, "name": spec.name,
                   "config_digest": spec.config_digest},
        state=state,
        since=led.migration.get("since") if led else joined.since,
        allowed_actions=[],
        joined={
            "lead_id": led.lead.get("owner") if led else None,
            "lead_host": led.lead.get("host") if led else None,
            "since": joined.since,
            "jobs": session.jobs() if session else [],
        },
        limits=joined.load.shown(clock.wall()),
    )
    if joined.waiting is not None:
        document["waiting"] = {"for": joined.waiting[0], "since": joined.waiting[1]}
    if session is None:
        return document
    if session.asked_to_rest:
        paused = "paused" if session.resting else "pausing"
        text = f"the agent on host {joined.lead_host}, which leads, is paused"
        document["pause"] = {"state": paused, "by": "lead", "reason": text, "since": None}
    transfer = session.transfer
    document["progress"].update(
        bytes_copied=transfer.bytes.total,
        documents_copied=transfer.documents.total,
        bytes_per_second=round(transfer.bytes.per_second()),
    )
    document["workers"] = [worker_of(led.lead)] if led and led.lead.get("owner") else []
    document["workers"].append(session.lease.describe())
    document["source"] = {
        "endpoints": [endpoint.url for endpoint in spec.source_endpoints],
        "version": session.source.version,
        "cluster_id": session.source.cluster_id,
        "mode": None,
    }
    document["target"] = {
        "endpoints": [endpoint.url for endpoint in spec.target_endpoints],
        "version": None,
        "mode": "open" if state == states.COMPLETED else "closed",
    }
    return document
