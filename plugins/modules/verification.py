#!/usr/bin/python
# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: verification
short_description: Compare source and target of a migration now
version_added: 1.0.0
description:
  - Has the agent compare source and target, and returns every difference with its database, collection and key, and one
    table of what is verified beyond documents.
  - A running migration compares all the time by itself; what that has found is returned as RV(rounds).
author:
  - The cutover.arangodb contributors (!UNKNOWN)
extends_documentation_fragment:
  - cutover.arangodb.agent
  - cutover.arangodb.attributes
  - cutover.arangodb.attributes.actiongroup_arangodb
attributes:
  check_mode:
    support: partial
    details: Nothing is read from the clusters in check mode; RV(verification) is null then.
  diff_mode:
    support: none
    details: Documents are not shown.
  idempotent:
    support: full
options:
  mode:
    description:
      - V(counts) compares the number of documents of each collection.
      - V(checksums) compares checksums with revisions and contents, which the servers compute.
      - V(keys) reads every key and revision.
      - Where the target makes revisions of its own (C(rev_policy) of the migration), V(keys) reads every document as
        well, and V(checksums) leaves revisions out.
      - V(documents) reads every document.
      - While the migration runs, documents that are on their way are no difference for V(keys) and V(documents);
        counts and checksums are what they are at this moment.
    type: str
    choices: [counts, checksums, keys, documents]
    default: keys
  repair:
    description:
      - Whether documents that differ are put right on the target, with V(keys) and V(documents).
      - Possible only while the migration runs.
    type: bool
    default: false
  timeout:
    description: Seconds that the comparison may take.
    type: float
    default: 3600.0
  fail_on_differences:
    description: Whether the task fails when source and target differ.
    type: bool
    default: true
notes:
  - This module runs on the agent's host, so the agent may listen on loopback.
seealso:
  - module: cutover.arangodb.migration
  - module: cutover.arangodb.migration_info
"""

EXAMPLES = r"""
- name: Are all keys and revisions the same?
  cutover.arangodb.verification:
    agent_ca_path: /etc/cutover-arangodb/ca.pem
    agent_token_path: /etc/cutover-arangodb/cutover.token

- name: Put right whatever document differs
  cutover.arangodb.verification:
    mode: documents
    repair: true
    agent_ca_path: /etc/cutover-arangodb/ca.pem
    agent_token_path: /etc/cutover-arangodb/cutover.token
"""

RETURN = r"""
verification:
  description: What was compared, and everything that differs. Null in check mode.
  returned: success
  type: dict
  contains:
    mode:
      description: What was compared.
      type: str
      sample: keys
    equal:
      description: Whether everything that was compared is equal, beyond documents too.
      type: bool
      sample: true
    at:
      description: When the comparison ended.
      type: str
      sample: "2026-11-23T12:00:00.000Z"
    seconds:
      description: How long documents were compared.
      type: float
      sample: 0.4
    collections:
      description: Every collection with its number of documents, of which the target's is null where it was not asked.
      type: list
      elements: dict
      sample:
        [{"database": "flights", "collection": "airports", "source_documents": 3375, "target_documents": null,
          "equal": true}]
    not_in_sync:
      description: Collections that are being copied and were not compared.
      type: list
      elements: str
      sample: []
    differences:
      description:
        - Up to 1000 documents that differ, where C(kind) is V(missing), V(stale), V(extra), V(foreign) or V(altered).
      type: list
      elements: dict
      sample: []
    differences_total:
      description: How many documents (collections, with V(counts) and V(checksums)) differ.
      type: int
      sample: 0
    repaired:
      description: How many documents were put right.
      type: int
      sample: 0
    aspects:
      description: One line for each kind of thing beyond documents, with what differs or why it cannot be verified.
      type: list
      elements: dict
      sample:
        [{"what": "indexes", "verified": true, "equal": true, "differences": [], "why": null}]
rounds:
  description: What the running migration's own comparison has found; null when none runs.
  returned: success
  type: dict
  sample: {"state": "watching", "round": 4, "pending": 0, "transient": 0, "confirmed": 0, "repaired": 1}
lines:
  description: The result for people, a text for each line.
  returned: success
  type: list
  elements: str
  sample: ["compared         24 collections, keys", "result           equal"]
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

from ..module_utils._module.argspec import agent_options, merged
from ..module_utils._module.runner import run_module
from ..module_utils._module.verification import run


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec=merged(
            agent_options(),
            {
                "mode": {"type": "str", "choices": ["counts", "checksums", "keys", "documents"], "default": "keys"},
                "repair": {"type": "bool", "default": False},
                "timeout": {"type": "float", "default": 3600.0},
                "fail_on_differences": {"type": "bool", "default": True},
            },
        ),
        supports_check_mode=True,
    )
    run_module(module, run)


if __name__ == "__main__":
    main()
