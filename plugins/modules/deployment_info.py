#!/usr/bin/python
# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: deployment_info
short_description: Ask the managed platform about a deployment
version_added: 1.0.0
description:
  - Returns state, endpoints, CA certificate, permissions, allowlist and notifications of a deployment, and what keeps
    it from being the target of a migration.
  - Implemented as an action plugin. It always runs on the controller.
author:
  - The cutover.arangodb contributors (!UNKNOWN)
requirements:
  - requests >= 2.31 on the controller
extends_documentation_fragment:
  - cutover.arangodb.platform
  - cutover.arangodb.platform.required
  - cutover.arangodb.attributes
  - cutover.arangodb.attributes.info
  - cutover.arangodb.attributes.actiongroup_platform
options:
  addresses:
    description: Addresses of hosts that will push data, to be compared with the deployment's allowlist.
    type: list
    elements: str
    default: []
  include_credentials:
    description:
      - Whether the password of V(root) is read. The platform records each reading.
      - The whole result is then hidden from output and logs, as with C(no_log); whoever registers it has the password.
    type: bool
    default: false
  fail_on_problems:
    description: Whether the task fails when the deployment cannot be the target of a migration as it is.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Look at a deployment
  cutover.arangodb.deployment_info:
    platform_key_id: example-key
    platform_key_secret: "{{ vault_platform_key_secret }}"
    deployment_id: hmkuedzw9oavvjmjdo0i
    addresses:
      - 203.0.113.17

- name: Read the password of root, too
  cutover.arangodb.deployment_info:
    platform_key_id: example-key
    platform_key_secret: "{{ vault_platform_key_secret }}"
    deployment_id: hmkuedzw9oavvjmjdo0i
    include_credentials: true
    fail_on_problems: true
"""

RETURN = r"""
deployment:
  description: What the deployment is and how it is.
  returned: success
  type: dict
  sample:
    id: hmkuedzw9oavvjmjdo0i
    name: target
    url: /Organization/org1/Project/prj1/Deployment/hmkuedzw9oavvjmjdo0i
    organization_id: org1
    project_id: prj1
    region_id: gcp-us-west2
    model: oneshard
    node_size_id: c4-a4
    version: 3.12.5
    server_versions: [3.12.5]
    size: {"coordinators": 3, "dbservers": 3, "dbserver_disk_size": 10}
    available_bytes: 31568029628
    paused: false
    deleted: false
    locked: false
    ready: true
    bootstrapped: true
    upgrading: false
    up_to_date: true
    read_only: false
    end_of_life: false
    upgraded_at: null
    expires_at: null
    disk_locked_seconds: 0.0
    root_password_rotates: false
    root_password_rotated_at: "2026-11-01T10:00:00Z"
endpoints:
  description:
    - Addresses of the deployment, null where there is none. V(chosen) is the one to migrate to; its certificate is
      signed by the deployment's own CA.
  returned: success
  type: dict
  sample:
    chosen: https://abcdef123456.arangodb.cloud:18529
    self_signed: https://abcdef123456.arangodb.cloud:18529
    plain: https://abcdef123456.arangodb.cloud:8529
    browser: https://abcdef123456.arangodb.cloud
    private_self_signed: null
    private_plain: null
ca:
  description: The deployment's CA certificate, null when the API key may not read it.
  returned: success
  type: dict
  sample:
    id: cert1
    pem: "-----BEGIN CERTIFICATE-----\n..."
    expires_at: "2030-10-31T00:00:00Z"
    expired: false
    rotation_needed: false
    well_known: true
credentials:
  description: Name and password of V(root), null unless they were asked for.
  returned: success
  type: dict
  sample: {"username": "root", "password": "..."}
key:
  description: The API key that was used. A read-only one can neither make backups nor resume deployments.
  returned: success
  type: dict
  sample: {"id": "example-key", "organization_id": "org1", "read_only": false, "expires_at": null}
backup:
  description: Whether the deployment can have backups, and uploaded ones; null where the API key may not ask.
  returned: success
  type: dict
  sample: {"possible": true, "upload": true}
permissions:
  description: What the API key may do with the deployment, and what it lacks, by what it is needed for.
  returned: success
  type: dict
  sample:
    held: [data.deployment.get]
    missing: {"migration": ["crypto.cacertificate.get"], "backup": [], "resume": []}
allowlist:
  description:
    - The ranges from which the deployment can be reached, null for all of them (or when they may not be read, and then
      every verdict is V(unknown)), and the verdict for each of O(addresses), V(allowed), V(blocked) or V(unknown).
  returned: success
  type: dict
  sample: {"ranges": ["203.0.113.0/24"], "verdicts": {"203.0.113.17": "allowed"}}
versions:
  description: Versions that the platform offers and that this deployment can be upgraded to.
  returned: success
  type: list
  elements: str
  sample: [3.12.5, 3.12.10]
notifications:
  description: What the platform tells about the deployment. The severity is V(info), V(warning) or V(critical).
  returned: success
  type: list
  elements: dict
  sample: [{"text": "The disk is filling up", "severity": "warning", "created_at": "2026-11-01T10:00:00Z"}]
clock_skew_seconds:
  description: Seconds that the controller's clock is ahead of the platform's, null when it told none.
  returned: success
  type: float
  sample: 0.4
problems:
  description: What keeps the deployment from being the target of a migration, the first one to solve in front.
  returned: success
  type: list
  elements: dict
  sample:
    - code: CUT-PLATFORM-12
      severity: error
      text: deployment target is paused
      remedy: Resume it on the platform.
usable:
  description: Whether none of the problems is an error.
  returned: success
  type: bool
  sample: true
failure:
  description: The error as data.
  returned: failure
  type: dict
  contains:
    code:
      description: Code of the error in the catalogue.
      type: str
      sample: CUT-PLATFORM-4
    http_status:
      description: HTTP status of the answer that was refused, if there was one.
      type: int
      sample: 404
    error_num:
      description: ArangoDB's own error number, if there is one.
      type: int
      sample: 1203
    retriable:
      description: Whether the same task can succeed later without any change.
      type: bool
      sample: false
    endpoint:
      description: Who was asked.
      type: str
      sample: https://api.cloud.arangodb.com/api/data/v1/deployments/hmkuedzw9oavvjmjdo0i
    remedy:
      description: What to do about it.
      type: str
      sample: Copy the deployment's id from its page on the platform.
    details:
      description: Figures and names that belong to the error, such as C(candidates) of a name that is not known.
      type: dict
      sample: {"candidates": []}
"""
