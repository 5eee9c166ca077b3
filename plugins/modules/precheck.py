#!/usr/bin/python
# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: precheck
short_description: Check whether a migration can be made
version_added: 1.0.0
description:
  - Looks at source, target and the agent's host, writes nothing (but see O(probe_target)), and returns every check with
    what was measured and what to do.
  - Needs no agent. It runs in its own process on the host where the agent is going to run, with the secret file there.
author:
  - The cutover.arangodb contributors (!UNKNOWN)
extends_documentation_fragment:
  - cutover.arangodb.attributes
  - cutover.arangodb.attributes.info
  - cutover.arangodb.source
  - cutover.arangodb.source.jwt
  - cutover.arangodb.specification
  - cutover.arangodb.platform
  - cutover.arangodb.platform.key
  - cutover.arangodb.platform.target
options:
  fail_on_errors:
    description: Whether the task fails when the checks are not passed. The result is returned either way.
    type: bool
    default: true
  state_directory:
    description: Directory that the agent is going to keep its state in. Its space is checked if this is given.
    type: path
  listen_host:
    description:
      - Address that the agent is going to listen on. Together with O(port) it is checked that it can.
      - Leave it out where the agent already runs.
    type: str
  port:
    description: Port that the agent is going to listen on.
    type: int
  deployment:
    description:
      - What M(cutover.arangodb.deployment_info) returned about the deployment that is the target, for the checks of the
        group V(platform).
      - With O(deployment_id) this is filled in by itself.
    type: dict
  report_path:
    description:
      - File on the controller that the result is written to, as JSON, as a page for people or as JUnit for CI and AWX,
        by its ending C(.json), C(.html) or C(.xml). Also written when the checks are not passed, but not in check mode.
      - It does not count as a change.
    type: path
  sample_seconds:
    description:
      - Seconds for which shards and logs of the source are read, at most 60, so that RV(forecast) rests on measured
        speeds and names who writes most. What is read is thrown away; no more than 32 MB/s are read.
      - With V(0) nothing is sampled, and what depends on it is not forecast.
    type: float
    default: 0
  probe_target:
    description:
      - Whether a throw-away database may be made on the target, to try in it what no documentation promises of every
        server. It has a name that begins with C(cutover_probe_), and is removed again, also after a failure.
      - One of the target's ids is used up on each of its coordinators. In check mode nothing is tried.
    type: bool
    default: false
  query:
    description:
      - A JMESPath expression that is applied to the result on the controller, where the Python library C(jmespath) is
        needed.
      - Its value is returned as RV(query_result).
    type: str
seealso:
  - module: cutover.arangodb.migration
"""

EXAMPLES = r"""
- name: Can this be migrated?
  cutover.arangodb.precheck:
    source_endpoints:
      - https://coordinator-1.db.example.com:8529
    source_ca_path: /etc/cutover-arangodb/source-ca.pem
    source_jwt_secret_path: /etc/cutover-arangodb/source.jwt
    target_endpoints:
      - https://target.example.com:8529
    target_password: "{{ vault_target_password }}"

- name: Only what stands in the way
  cutover.arangodb.precheck:
    source_endpoints:
      - https://coordinator-1.db.example.com:8529
    source_jwt_secret_path: /etc/cutover-arangodb/source.jwt
    target_endpoints:
      - https://target.example.com:8529
    target_password: "{{ vault_target_password }}"
    fail_on_errors: false
    query: checks[?status == 'failed'].[id, message, remedy]
  register: result
"""

RETURN = r"""
passed:
  description: Whether no check stands in the way.
  returned: always, unless the checks could not be begun
  type: bool
  sample: true
summary:
  description: Number of checks by status.
  returned: always, unless the checks could not be begun
  type: dict
  sample: {"passed": 64, "failed": 0, "warning": 1, "unknown": 0, "skipped": 3, "accepted": 0}
checks:
  description: Every check.
  returned: always, unless the checks could not be begun
  type: list
  elements: dict
  contains:
    id:
      description: Identifier, for O(accept).
      type: str
      sample: target-empty
    group:
      description: What it is about.
      type: str
      sample: target
    status:
      description:
        - One of V(passed), V(failed), V(warning), V(unknown), V(skipped), V(accepted).
        - V(failed) and V(unknown) stand in the way.
      type: str
      sample: passed
    message:
      description: What was found.
      type: str
      sample: the target is empty
    remedy:
      description: What to do about it.
      type: str
      sample: Set overwrite_target, or choose an empty target.
    measured:
      description: The measured values.
      type: raw
      sample: {"databases": 0}
capabilities:
  description: What source and target were found able to do where no documentation tells, and what follows.
  returned: always, unless the checks could not be begun
  type: list
  elements: dict
  contains:
    id:
      description: Identifier.
      type: str
      sample: target-revisions
    side:
      description: V(source) or V(target).
      type: str
      sample: target
    title:
      description: What is asked.
      type: str
      sample: restore-data keeps revisions
    status:
      description: One of V(found), V(missing), V(unknown), V(not-probed).
      type: str
      sample: found
    found:
      description: What the probe saw, or why there was none.
      type: str
      sample: "restore-data: the revision _gS1NmYu--- became _gS1NmYu---"
    mode:
      description: What the migration does, or what it falls back to.
      type: str
      sample: documents are restored with their revisions
    facts:
      description: Section of the project's facts that leaves it open.
      type: str
      sample: §12.9
forecast:
  description:
    - What a migration is going to need and take, in bytes and seconds. Null stands for what is not known, and notes say
      why.
    - The formulas are in C(docs/sizing.md) of the collection.
  returned: always, unless the checks could not be begun; null where the options were refused
  type: dict
  contains:
    seconds_observed:
      description: Seconds between the two looks at the source.
      type: float
      sample: 20.1
    sample_seconds:
      description: Seconds that were asked for with O(sample_seconds).
      type: float
      sample: 20.0
    size:
      description: Collections, shards and documents; bytes on the source's disks and to be copied.
      type: dict
      sample: {"collections": 40, "shards": 120, "documents": 1000000, "stored_bytes": 900000000,
        "stored_bytes_by_server": {"PRMR-1": 900000000}, "copied_bytes": 310000000, "read_bytes_per_second": 52000000}
    target:
      description: Bytes needed on each DB-Server of the target, what is free there, what a deployment was ordered with.
      type: dict
      sample: {"dbservers": 3, "need_bytes_per_server": 390000000, "least_free_bytes": 20000000000, "fits": true,
        "deployment": null}
    copy:
      description: Seconds of the copy, at what speed, and what limits it.
      type: dict
      sample: {"bytes_per_second": 52000000, "limited_by": "reading of the source", "seconds": 6.0}
    log:
      description: Writes, growth of logs and spools, how long the source can keep its log.
      type: dict
      sample: {"writes_per_second": 210.5, "markers_bytes_per_second": 63000, "growth_bytes_per_second": 150000,
        "spool_bytes": 378000, "kept_bytes_by_server": {"PRMR-1": 900000}, "runway_seconds": 130000.0}
    downtime:
      description: The write downtime of the cutover to be expected, before anything was rehearsed.
      type: dict
      sample: {"low": 2.3, "mid": 4.5, "high": 10.0, "max_downtime": 30.0, "fits": true}
    writers:
      description: Collections and users that write most, how that is known, and what to do to know more.
      type: dict
      sample: {"collections": [{"database": "shop", "collection": "orders", "writes_per_second": 120.2,
        "bytes_per_second": 36000}], "collections_from": "logs", "users": null, "users_from": null, "advice": null}
    notes:
      description: Why something is not known.
      type: list
      elements: str
      sample: []
lines:
  description: The same for people, a text for each line; the worst comes first, with its remedy.
  returned: always, unless the checks could not be begun
  type: list
  elements: str
  sample: ["passed    target-empty: the target is empty"]
query_result:
  description: What O(query) selected.
  returned: when O(query) is given
  type: raw
  sample: []
failure:
  description: The error as data.
  returned: when the checks could not be begun
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

from ..module_utils._module.argspec import (
    deployment_options,
    merged,
    secret_options,
    source_options,
    specification_options,
    target_options,
)
from ..module_utils._module.precheck import run
from ..module_utils._module.runner import run_module


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec=merged(
            source_options(),
            secret_options(),
            target_options(),
            deployment_options(),
            specification_options(),
            {
                "fail_on_errors": {"type": "bool", "default": True},
                "state_directory": {"type": "path"},
                "listen_host": {"type": "str"},
                "port": {"type": "int"},
                "deployment": {"type": "dict"},
                "report_path": {"type": "path"},
                "sample_seconds": {"type": "float", "default": 0},
                "probe_target": {"type": "bool", "default": False},
                "query": {"type": "str"},
            },
        ),
        required_together=[("listen_host", "port")],
        supports_check_mode=True,
    )
    run_module(module, run)


if __name__ == "__main__":
    main()
