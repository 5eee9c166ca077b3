#!/usr/bin/python
# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: migration_watch
short_description: Show a running migration until a condition holds
version_added: 1.0.0
description:
  - Shows a line on the controller whenever the migration has moved, each new problem once, and returns when the
    condition in O(until) holds.
  - On a terminal, and for one host, it is one line with a bar that is drawn anew. Everywhere else, in AWX and below
    ansible-runner too, it is a plain line for each change.
  - Implemented as an action plugin that asks M(cutover.arangodb.migration_info) again and again, so nothing runs on
    the agent's host in between. A restart of the agent or of its host is waited out; an agent that does not answer the
    first time is an error.
author:
  - The cutover.arangodb contributors (!UNKNOWN)
extends_documentation_fragment:
  - cutover.arangodb.agent
  - cutover.arangodb.attributes
  - cutover.arangodb.attributes.info
  - cutover.arangodb.attributes.actiongroup_arangodb
options:
  until:
    description:
      - V(in_sync) is reached when all shards are in sync.
      - V(ready) is reached when nothing blocks the cutover.
      - V(fenced) is reached when a cutover has made the source read-only and ended what wrote there.
      - V(completed) is reached when the target is open and V(aborted) when the migration has ended without that.
      - V(any_change) is reached when the line that is shown has changed, or nothing moves any more.
    type: str
    choices: [in_sync, ready, fenced, completed, aborted, any_change]
    default: in_sync
  timeout:
    description: Seconds after which the task fails. The migration itself goes on.
    type: float
    default: 86400.0
  interval:
    description: Seconds between two looks.
    type: float
    default: 5.0
  before:
    description:
      - The status document from before a cutover was asked for, as M(cutover.arangodb.migration_info) returned it.
      - With it, a cutover that has ended otherwise than with an open target ends the wait, and the task fails with how
        it ended and what blocked it.
    type: dict
notes:
  - In check mode it looks once and returns.
  - It is refused with the task keyword C(async), because it shows its lines while it waits. Ending it, by O(timeout) or
    by hand, never ends the migration.
seealso:
  - module: cutover.arangodb.migration_info
"""

EXAMPLES = r"""
- name: Wait until everything is copied and followed
  cutover.arangodb.migration_watch:
    until: in_sync
    timeout: 7200
    agent_ca_path: /etc/cutover-arangodb/ca.pem
    agent_token_path: /etc/cutover-arangodb/read.token
"""

RETURN = r"""
migration:
  description: The migration's status document. Figures that are not known are null.
  returned: success
  type: dict
  contains:
    state:
      description:
        - One of V(inactive), V(initializing), V(initial-sync), V(running), V(stopping), V(completed), V(aborting),
          V(aborted), V(failed).
      type: str
      sample: running
    migration:
      description: Identity of the migration and digest of its specification.
      type: dict
      sample: {"id": "20261123-1f0c", "name": "default", "config_digest": "5e884898da28"}
    progress:
      description: How far the copy is.
      type: dict
      sample: {"percent": 61.4, "bytes_copied": 128974848, "bytes_total": 210000000, "eta_seconds": 42}
    replication:
      description: How far the target is behind.
      type: dict
      sample: {"lag_seconds": 0.4, "operations_per_second": 310.0, "applied_total": 18220}
    shards:
      description: Number of shards by state.
      type: dict
      sample: {"pending": 0, "copying": 2, "catching_up": 1, "in_sync": 21, "suspect": 0, "total": 24}
    cutover:
      description: Whether the cutover can be made now, what blocks it, and how the last attempt ended.
      type: dict
      sample: {"ready": false, "blockers": [{"code": "CUT-GATE-1", "text": "3 shards are not in sync"}]}
    source:
      description: The source and its server mode.
      type: dict
      sample: {"mode": "default"}
    target:
      description: The target.
      type: dict
      sample: {"mode": "default"}
    joined:
      description: For which agent this one copies, and what; null for the agent that leads.
      type: dict
      sample: {"lead_id": "6f1c", "lead_host": "agent-1", "since": "2026-11-29T08:00:00.000Z", "jobs": []}
    problems:
      description: What needs attention, each with its remedy.
      type: list
      elements: dict
      sample: []
    allowed_actions:
      description: What can be asked for in this state.
      type: list
      elements: str
      sample: ["stop", "abort", "pause"]
lines:
  description: The same for people, a text for each line.
  returned: success
  type: list
  elements: str
  sample: ["state            running", "shards in sync   24 of 24"]
failure:
  description: The error as data.
  returned: failure
  type: dict
  contains:
    code:
      description: Code of the error in the catalogue.
      type: str
      sample: CUT-AGENT-32
    http_status:
      description: HTTP status of the answer that was refused, if there was one.
      type: int
      sample: 409
    error_num:
      description: ArangoDB's own error number, if there is one.
      type: int
      sample: 1203
    retriable:
      description: Whether the same task can succeed later without any change.
      type: bool
      sample: true
    endpoint:
      description: Who was asked.
      type: str
      sample: https://127.0.0.1:8629
    remedy:
      description: What to do about it.
      type: str
      sample: Check that the agent runs.
    details:
      description: Figures and names that belong to the error, such as C(blockers) of a refused cutover.
      type: dict
      sample: {"blockers": []}
"""
