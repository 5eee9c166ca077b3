#!/usr/bin/python
# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: migration_info
short_description: Show a live migration
version_added: 1.0.0
description:
  - Returns the status document of the migration that an agent runs, and on request its shards, findings and report.
author:
  - The cutover.arangodb contributors (!UNKNOWN)
extends_documentation_fragment:
  - cutover.arangodb.agent
  - cutover.arangodb.attributes
  - cutover.arangodb.attributes.info
  - cutover.arangodb.attributes.actiongroup_arangodb
  - cutover.arangodb.platform
  - cutover.arangodb.platform.expected
  - cutover.arangodb.platform.key
options:
  gather:
    description:
      - What to return besides the status document.
      - V(changes) reads the whole target of a completed migration, which takes its time, and needs a token that may
        operate.
      - V(rescue_ticket) is what M(cutover.arangodb.migration) needs with the state C(rescued) if the host of the agent
        is lost in a cutover that begins soon. It needs a token of the agent with the role C(cutover), and the whole
        result is hidden in output and logs. In check mode none is made.
    type: list
    elements: str
    choices: [shards, findings, report, report_page, changes, rescue_ticket]
    default: []
  changes_timeout:
    description: Seconds for reading the target, when V(changes) is in O(gather).
    type: float
    default: 3600.0
  query:
    description:
      - A JMESPath expression that is applied to the result on the controller, where the Python library C(jmespath) is
        needed.
      - Its value is returned as RV(query_result).
    type: str
notes:
  - This module runs on the agent's host, so the agent may listen on loopback.
seealso:
  - module: cutover.arangodb.migration
  - module: cutover.arangodb.migration_watch
"""

EXAMPLES = r"""
- name: How far is it?
  cutover.arangodb.migration_info:
    agent_ca_path: /etc/cutover-arangodb/ca.pem
    agent_token_path: /etc/cutover-arangodb/read.token
  register: result

- name: What would going back to the source lose?
  cutover.arangodb.migration_info:
    gather:
      - changes
    agent_ca_path: /etc/cutover-arangodb/ca.pem
    agent_token_path: /etc/cutover-arangodb/cutover.token
  register: since_the_opening

- name: Keep what a rescue needs if the agent's host is lost in a cutover
  cutover.arangodb.migration_info:
    gather:
      - rescue_ticket
    agent_ca_path: /etc/cutover-arangodb/ca.pem
    agent_token_path: /etc/cutover-arangodb/cutover.token
  register: kept

- name: Which shards are not in sync?
  cutover.arangodb.migration_info:
    gather:
      - shards
    query: shards[?state != 'in-sync'].[database, collection, shard, state]
    agent_ca_path: /etc/cutover-arangodb/ca.pem
    agent_token_path: /etc/cutover-arangodb/read.token
  register: behind
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
shards:
  description: Every shard with its state.
  returned: when V(shards) is in O(gather)
  type: list
  elements: dict
  sample: [{"database": "flights", "collection": "airports", "shard": "s10023", "state": "in-sync"}]
findings:
  description: What was found that needs attention.
  returned: when V(findings) is in O(gather)
  type: list
  elements: dict
  sample: [{"code": "CUT-APPLY-3", "severity": "error", "message": "1 document was refused"}]
changes:
  description: What was written on the target since its opening, by collection, with the keys of some documents.
  returned: when V(changes) is in O(gather)
  type: dict
  contains:
    at:
      description: When it was found out.
      type: str
      sample: "2026-11-23T13:04:11.120Z"
    opened_at:
      description: When the target was opened.
      type: str
      sample: "2026-11-23T12:00:02.031Z"
    collections:
      description: Collections with documents that were created, changed or removed (removed ones by number only).
      type: list
      elements: dict
      sample:
        - {"database": "flights", "collection": "airports", "created": 2, "changed": 1, "removed": 0, "keys": ["JFK"]}
    totals:
      description: The sums of all collections.
      type: dict
      sample: {"created": 2, "changed": 1, "removed": 0}
    definitions:
      description: Definitions on the target that are not the source's.
      type: list
      elements: str
      sample: ["collection flights/new is not on the source"]
    source_mode:
      description: The source's server mode. Figures are exact while it is C(readonly).
      type: str
      sample: readonly
rescue_ticket:
  description: A token for the source's server mode alone, and where it is to be shown. Null in check mode.
  returned: when V(rescue_ticket) is in O(gather)
  type: dict
  contains:
    token:
      description: The token.
      type: str
      sample: VALUE_SPECIFIED_IN_NO_LOG_PARAMETER
    expires_at:
      description: Until when it can be used.
      type: str
      sample: "2026-11-23T13:04:11.120Z"
    coordinators:
      description: Coordinators of the source.
      type: list
      elements: str
      sample: ["https://coordinator-1.db.example.com:8529"]
report_page:
  description: The report as one HTML page that is complete in itself, null before the first attempt.
  returned: when V(report_page) is in O(gather)
  type: str
  sample: "<!DOCTYPE html>..."
report:
  description: Report of the last attempt or rehearsal, null before the first.
  returned: when V(report) or V(report_page) is in O(gather)
  type: dict
  sample: {"result": "completed", "fenced_seconds": 3.2}
query_result:
  description: What O(query) selected.
  returned: when O(query) is given
  type: raw
  sample: [["flights", "airports", "s10023", "copying"]]
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

from ..module_utils._module.argspec import agent_options, merged, platform_options
from ..module_utils._module.migration_info import run
from ..module_utils._module.runner import run_module


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec=merged(
            agent_options(),
            platform_options(),
            {
                "gather": {
                    "type": "list",
                    "elements": "str",
                    "choices": ["shards", "findings", "report", "report_page", "changes", "rescue_ticket"],
                    "default": [],
                },
                "changes_timeout": {"type": "float", "default": 3600.0},
                "query": {"type": "str"},
            },
        ),
        supports_check_mode=True,
    )
    run_module(module, run)


if __name__ == "__main__":
    main()
