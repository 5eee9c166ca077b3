#!/usr/bin/python
# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: deployment_backup
short_description: Make or remove a backup of a deployment
version_added: 1.0.0
description:
  - Makes sure that there is a backup of this name on the managed platform, or none, and waits until it can be relied
    on.
  - A backup of this name that is there already, or that is being made, is not made again. One that failed is.
  - Implemented as an action plugin. It always runs on the controller.
author:
  - The cutover.arangodb contributors (!UNKNOWN)
requirements:
  - requests >= 2.31 on the controller
extends_documentation_fragment:
  - cutover.arangodb.platform
  - cutover.arangodb.platform.required
  - cutover.arangodb.attributes
  - cutover.arangodb.attributes.actiongroup_platform
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  name:
    description: Name of the backup. Backups that a policy has made are never meant.
    type: str
    required: true
  state:
    description:
      - Whether there is to be a backup of this name.
      - With V(absent), every backup of this name is removed, finished or not.
    type: str
    choices: [present, absent]
    default: present
  upload:
    description:
      - Whether the backup is also copied away from the deployment's disks, where the tier and the model allow it.
      - A local backup holds on to the disk space of what is overwritten afterwards, and is lost with the disks.
    type: bool
    default: false
  keep_days:
    description: Days after which the platform removes the backup by itself, V(0) for never. Only for a new backup.
    type: float
    default: 14.0
  wait:
    description: Whether to wait until the backup is made, and uploaded if O(upload).
    type: bool
    default: true
  wait_timeout:
    description: Seconds to wait at most. The platform goes on when this is over, and the same task waits again.
    type: float
    default: 3600.0
  wait_interval:
    description: Seconds between two looks. Progress is shown when it changes.
    type: float
    default: 10.0
seealso:
  - module: cutover.arangodb.deployment_info
  - module: cutover.arangodb.migration
"""

EXAMPLES = r"""
- name: Make a backup before the deployment is overwritten
  cutover.arangodb.deployment_backup:
    platform_key_id: example-key
    platform_key_secret: "{{ vault_platform_key_secret }}"
    deployment_id: hmkuedzw9oavvjmjdo0i
    name: before-migration

- name: Remove it when it is not needed any more
  cutover.arangodb.deployment_backup:
    platform_key_id: example-key
    platform_key_secret: "{{ vault_platform_key_secret }}"
    deployment_id: hmkuedzw9oavvjmjdo0i
    name: before-migration
    state: absent
"""

RETURN = r"""
backup:
  description: The backup as the platform knows it, null when there is none.
  returned: success
  type: dict
  sample:
    id: bk1
    name: before-migration
    created_at: "2026-11-23T08:00:00Z"
    auto_deleted_at: "2026-12-07T08:00:00Z"
    state: Ready
    available: true
    uploaded: false
    size_bytes: 214748364
    version: 3.12.5
failure:
  description: The error as data.
  returned: failure
  type: dict
  contains:
    code:
      description: Code of the error in the catalogue.
      type: str
      sample: CUT-PLATFORM-23
    http_status:
      description: HTTP status of the answer that was refused, if there was one.
      type: int
      sample: 429
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
      sample: Read what the platform says.
    details:
      description: Figures and names that belong to the error, such as the backup that failed.
      type: dict
      sample: {"state": "Failed"}
"""
