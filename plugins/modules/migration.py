#!/usr/bin/python
# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: migration
short_description: Start, cut over or abort a live migration
version_added: 1.0.0
description:
  - Brings a live migration of an ArangoDB cluster to the wanted state, through the agent on the source's network.
  - With O(state=started), the source is copied to the target and every later write follows. The source stays in use.
  - With O(state=stopped), the cutover is made. The source is made read-only, the target is proved equal, and only
    then opened. If anything is wrong before the opening, the source is given back and the migration goes on.
  - With O(state=rehearsed), every step of a cutover but the opening is done and timed, and the migration goes on.
  - With O(state=paused), nothing is copied or applied until O(state=resumed). The source's log has to be kept for so
    long, so that a pause is for hours, not for days.
  - With O(state=tuned), a migration that runs goes on faster or slower, by those of O(load), O(mb_per_second),
    O(operations_per_second), O(verify_rate), O(copiers) and O(windows) that are given. The others stay.
  - With O(state=released), a cutover that was asked for with O(hold_opening=true) goes on, or takes the way back.
  - With O(state=aborted), the migration ends without opening the target.
  - With O(state=revoked), the target of a completed migration is closed again and compared with the source. Only if
    nothing was written on it, the source is given back. Otherwise the target is opened again and every difference is
    told.
  - With O(state=rescued), a source that a cutover has made read-only is given back though the agent and its host are
    lost. No agent is asked, so RV(migration) is not returned. It is refused once the opening was decided.
author:
  - The cutover.arangodb contributors (!UNKNOWN)
extends_documentation_fragment:
  - cutover.arangodb.agent
  - cutover.arangodb.attributes
  - cutover.arangodb.attributes.actiongroup_arangodb
  - cutover.arangodb.source
  - cutover.arangodb.specification
  - cutover.arangodb.platform
  - cutover.arangodb.platform.key
  - cutover.arangodb.platform.target
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  state:
    description:
      - The wanted state.
      - V(started) needs O(source_endpoints), and either O(target_endpoints) with O(target_password) or O(deployment_id)
        with the platform's key. The same specification again changes nothing (new credentials are taken over), another
        one is refused while a migration runs.
      - V(stopped) is refused, with every reason, while the migration is not ready for it.
      - V(paused) and V(resumed) are for a migration that copies or follows. V(resumed) ends only a pause of the
        operator, and V(started) ends none.
      - V(tuned) needs one of the options of speed, and has nothing to wait for. A later V(started) with other ones than
        at the start puts its own in their place.
      - V(rehearsed) always rehearses, so it always reports a change.
      - V(released) needs O(release).
      - V(revoked) needs O(revoke_opening).
      - V(rescued) needs O(rescue_ticket), and the target as V(started) does.
      - Given O(deployment_id), the other states are refused when the agent's migration goes elsewhere.
    type: str
    choices: [started, paused, resumed, tuned, rehearsed, stopped, released, aborted, revoked, rescued]
    default: started
  fence_seconds:
    description:
      - With O(state=rehearsed), also makes the source read-only for at most so many seconds, as a cutover does, and
        cancels what writes there.
      - If not given, nobody notices the rehearsal.
    type: float
  reason:
    description:
      - Why it is paused (V(paused)) or takes the way back (V(released)), for the status and the log.
    type: str
  hold_opening:
    description:
      - With O(state=stopped), the proved target is opened only after O(state=released) with O(release=open). Until
        then the source is read-only, and O(max_downtime) goes on. When it is over, the way back is taken as ever.
      - A cutover that is under way and does not hold its opening is refused (CUT-STATE-5) instead of being joined.
      - For what has to be done while nobody can write, and may fail. O(wait) is false then, unless it is given.
    type: bool
  release:
    description:
      - How a cutover that holds its opening is to go on. V(open) opens the target, V(way_back) gives the source back.
      - It is answered once. The other answer is refused from then on.
    type: str
    choices: [open, way_back]
  revoke_opening:
    description: Name of the migration whose opening is to be revoked, so that it never happens by mistake.
    type: str
  rescue_ticket:
    description:
      - What M(cutover.arangodb.migration_info) returned before the cutover as C(rescue_ticket).
    type: dict
    suboptions:
      token:
        description: The token for the source's server mode.
        type: str
        required: true
      coordinators:
        description: Coordinators of the source.
        type: list
        elements: str
        required: true
      expires_at:
        description: Until when the token can be used.
        type: str
  cleanup:
    description:
      - With O(state=aborted), also remove from the target what this migration has made there, users included. A
        database in which somebody else has made a collection stays, without what is ours.
      - It can be asked for later, too, as long as C(cleanup) is among the C(allowed_actions) of RV(migration).
    type: bool
    default: false
  wait:
    description:
      - Whether to wait until all shards are in sync (V(started)), the rehearsal or the cutover is made (V(rehearsed),
        V(stopped), V(released)), it stands still or goes on (V(paused), V(resumed)), or everything has ended
        (V(aborted), V(revoked)).
      - If not given, V(started) returns at once and the other states wait.
    type: bool
  wait_timeout:
    description: Seconds to wait at most. The migration itself goes on when this is over.
    type: float
    default: 3600.0
  wait_interval:
    description: Seconds between two looks at the status.
    type: float
    default: 1.0
  accept_findings:
    description:
      - Findings about single documents that do not keep the target from being opened, with O(state=stopped).
      - Each is named by its O(accept_findings[].id) as M(cutover.arangodb.migration_info) returns it, or by
        O(accept_findings[].code), O(accept_findings[].where) and O(accept_findings[].key). Whatever is not named still
        refuses the cutover.
    type: list
    elements: dict
    default: []
    suboptions:
      id:
        description: Identifier of the finding.
        type: str
      code:
        description: Its code.
        type: str
      where:
        description: Its place, as V(DATABASE/COLLECTION).
        type: str
      key:
        description: Key of the document.
        type: str
      reason:
        description: Why it is acceptable, for the report.
        type: str
        required: true
  gate_timeout:
    description:
      - Seconds that the agent may wait for blockers of the cutover to pass by themselves before it refuses.
      - If not given, it refuses at once.
    type: float
requirements:
  - requests >= 2.31 on the controller, for O(deployment_id)
notes:
  - This module runs on the agent's host, so the agent may listen on loopback.
  - The module never destroys data of a completed migration, whatever O(overwrite_target) says, unless
    O(replace_completed) names it.
seealso:
  - module: cutover.arangodb.precheck
  - module: cutover.arangodb.migration_info
  - module: cutover.arangodb.server_mode
"""

EXAMPLES = r"""
- name: Start migrating and go on at once
  cutover.arangodb.migration:
    state: started
    agent_ca_path: /etc/cutover-arangodb/ca.pem
    agent_token_path: /etc/cutover-arangodb/cutover.token
    source_endpoints:
      - https://coordinator-1.db.example.com:8529
    source_ca_path: /etc/cutover-arangodb/source-ca.pem
    target_endpoints:
      - https://target.example.com:8529
    target_password: "{{ vault_target_password }}"

- name: Cut over, with at most 20 seconds without writes
  cutover.arangodb.migration:
    state: stopped
    max_downtime: 20
    agent_ca_path: /etc/cutover-arangodb/ca.pem
    agent_token_path: /etc/cutover-arangodb/cutover.token

- name: Cut over, but let nobody onto the target yet
  cutover.arangodb.migration:
    state: stopped
    hold_opening: true
    agent_ca_path: /etc/cutover-arangodb/ca.pem
    agent_token_path: /etc/cutover-arangodb/cutover.token

- name: Open it
  cutover.arangodb.migration:
    state: released
    release: open
    agent_ca_path: /etc/cutover-arangodb/ca.pem
    agent_token_path: /etc/cutover-arangodb/cutover.token

- name: Rehearse the cutover, closing the source for writes for 10 seconds at most
  cutover.arangodb.migration:
    state: rehearsed
    fence_seconds: 10
    agent_ca_path: /etc/cutover-arangodb/ca.pem
    agent_token_path: /etc/cutover-arangodb/cutover.token

- name: Go back to the source, as long as nothing was written on the target
  cutover.arangodb.migration:
    state: revoked
    revoke_opening: default
    agent_ca_path: /etc/cutover-arangodb/ca.pem
    agent_token_path: /etc/cutover-arangodb/cutover.token

- name: Give the source back, because the agent's host was lost in a cutover
  cutover.arangodb.migration:
    state: rescued
    rescue_ticket: "{{ vault_rescue_ticket }}"
    source_ca_path: /etc/cutover-arangodb/source-ca.pem
    target_endpoints:
      - https://target.example.com:8529
    target_password: "{{ vault_target_password }}"

- name: Leave the network to the nightly backup
  cutover.arangodb.migration:
    state: paused
    reason: nightly backup
    agent_ca_path: /etc/cutover-arangodb/ca.pem
    agent_token_path: /etc/cutover-arangodb/cutover.token

- name: Go on after the pause
  cutover.arangodb.migration:
    state: resumed
    agent_ca_path: /etc/cutover-arangodb/ca.pem
    agent_token_path: /etc/cutover-arangodb/cutover.token

- name: Go easy on both clusters during the day
  cutover.arangodb.migration:
    state: tuned
    load: gentle
    agent_ca_path: /etc/cutover-arangodb/ca.pem
    agent_token_path: /etc/cutover-arangodb/cutover.token

- name: Give up
  cutover.arangodb.migration:
    state: aborted
    agent_ca_path: /etc/cutover-arangodb/ca.pem
    agent_token_path: /etc/cutover-arangodb/cutover.token
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
rescue:
  description: The decision record and the source's server mode as they are now.
  returned: with O(state=rescued)
  type: dict
  contains:
    decision:
      description: State of the decision record on the target.
      type: str
      sample: none
    mode:
      description: Server mode of the source's coordinators.
      type: str
      sample: default
backup:
  description: The backup that was made of the target, as M(cutover.arangodb.deployment_backup) returns it.
  returned: with O(backup_target), by the start of a migration
  type: dict
  sample: {"id": "bk1", "name": "before-default", "state": "Ready", "available": true, "uploaded": false}
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

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._engine.spec import TUNING
from ..module_utils._module.argspec import (
    agent_options,
    deployment_options,
    merged,
    source_options,
    specification_options,
    target_options,
)
from ..module_utils._module.migration import run
from ..module_utils._module.runner import run_module

STATES = ["started", "paused", "resumed", "tuned", "rehearsed", "stopped", "released", "aborted", "revoked", "rescued"]


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec=merged(
            agent_options(),
            source_options(),
            target_options(),
            deployment_options(),
            specification_options(),
            {
                "state": {"type": "str", "choices": STATES, "default": "started"},
                "fence_seconds": {"type": "float"},
                "reason": {"type": "str"},
                "hold_opening": {"type": "bool"},
                "release": {"type": "str", "choices": ["open", "way_back"]},
                "revoke_opening": {"type": "str"},
                "rescue_ticket": {
                    "type": "dict",
                    "no_log": False,
                    "options": {
                        "token": {"type": "str", "required": True, "no_log": True},
                        "coordinators": {"type": "list", "elements": "str", "required": True},
                        "expires_at": {"type": "str"},
                    },
                },
                "cleanup": {"type": "bool", "default": False},
                "wait": {"type": "bool"},
                "wait_timeout": {"type": "float", "default": 3600.0},
                "wait_interval": {"type": "float", "default": 1.0},
                "gate_timeout": {"type": "float"},
                "accept_findings": {
                    "type": "list",
                    "elements": "dict",
                    "default": [],
                    "mutually_exclusive": [("id", "code"), ("id", "where"), ("id", "key")],
                    "required_one_of": [("id", "code")],
                    "required_together": [("code", "where", "key")],
                    "options": {
                        "id": {"type": "str"},
                        "code": {"type": "str"},
                        "where": {"type": "str"},
                        "key": {"type": "str", "no_log": False},
                        "reason": {"type": "str", "required": True},
                    },
                },
            },
        ),
        required_if=[
            ("state", "started", ("source_endpoints", "target_endpoints", "target_password")),
            ("state", "tuned", TUNING, True),
            ("state", "released", ("release",)),
            ("state", "revoked", ("revoke_opening",)),
            ("state", "rescued", ("rescue_ticket", "target_endpoints", "target_password")),
        ],
        supports_check_mode=True,
    )
    run_module(module, run)


if __name__ == "__main__":
    main()
