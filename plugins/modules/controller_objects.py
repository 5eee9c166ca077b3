#!/usr/bin/python
# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: controller_objects
short_description: Make objects of an automation controller
version_added: 1.0.0
description:
  - Makes projects, credentials, job templates, workflows and their like on AWX or Ansible Automation Platform as they
    are described, and changes what differs. The playbook C(cutover.arangodb.configure_controller) uses it.
  - Unlike the collections C(awx.awx) and C(ansible.controller) it finds workflows and credentials unchanged when they
    are.
author:
  - The cutover.arangodb contributors (!UNKNOWN)
extends_documentation_fragment:
  - cutover.arangodb.attributes
attributes:
  check_mode:
    support: full
    details:
      - An object that is referred to and does not exist is only warned of, because an earlier task may make it.
  diff_mode:
    support: full
    details:
      - Of credentials and of the configuration of notifications only the names of the entries are shown.
  idempotent:
    support: partial
    details:
      - The controller never gives secrets back, so with O(update_secrets) they count as changed each time.
options:
  controller_endpoint:
    description: Address of the controller, C(https://HOST[:PORT]).
    type: str
    required: true
  controller_api_path:
    description: Where the API is. It is V(/api/controller/v2) from version 2.5 of Ansible Automation Platform on.
    type: str
    default: /api/v2
  controller_token:
    description: Personal access token, with the scope V(write), of a user who may administer the organization.
    type: str
    required: true
  controller_ca_path:
    description: File with the CA certificates of the controller. Without it those of the system.
    type: path
  timeout:
    description: Seconds that one request may take.
    type: float
    default: 60.0
  project_timeout:
    description: Seconds that a project may take to be fetched. Job templates can be made only after that.
    type: float
    default: 300.0
  update_secrets:
    description: Whether O(secrets) are sent also to credentials and notifications that have them.
    type: bool
    default: false
  secrets:
    description:
      - Entries of C(inputs) of a credential or of C(notification_configuration) of a notification that are secret, by
        the name of the object.
    type: dict
    default: {}
  objects:
    description: What is to be there, in this order. What refers to others comes after them.
    type: list
    elements: dict
    required: true
    suboptions:
      kind:
        description: What it is.
        type: str
        required: true
        choices:
          - organization
          - credential_type
          - execution_environment
          - label
          - notification_template
          - credential
          - project
          - inventory
          - host
          - group
          - job_template
          - workflow_job_template
          - schedule
      name:
        description: Its name.
        type: str
        required: true
      fields:
        description:
          - Further fields as the controller's API names them, with other objects by name. C(extra_vars) and
            C(variables) are dictionaries.
          - Fields that are left out stay as they are.
        type: dict
        default: {}
      links:
        description: Names of others by relation, such as C(credentials) or C(labels). What is linked beyond them stays.
        type: dict
        default: {}
      survey:
        description: Name, description and questions (C(spec)) of the survey of a job template or workflow.
        type: dict
      nodes:
        description: Nodes of a workflow. Others are removed from it.
        type: list
        elements: dict
        suboptions:
          identifier:
            description: Name of the node within the workflow.
            type: str
            required: true
          job_template:
            description: Job template that it runs. Either this or O(objects[].nodes[].approval).
            type: str
          approval:
            description: What somebody has to approve.
            type: str
          description:
            description: More about the approval.
            type: str
            default: ''
          timeout:
            description: Seconds after which the approval counts as denied, V(0) for never.
            type: int
            default: 0
          success:
            description: Nodes that follow when it succeeds.
            type: list
            elements: str
            default: []
          failure:
            description: Nodes that follow when it fails or is denied.
            type: list
            elements: str
            default: []
          always:
            description: Nodes that follow however it ends.
            type: list
            elements: str
            default: []
seealso:
  - name: The automation of a cutover
    description: What the playbook C(configure_controller) makes.
    link: https://github.com/cutover/arangodb/blob/main/docs/automation.md
"""

EXAMPLES = r"""
- name: Make a workflow of two jobs with an approval between them
  cutover.arangodb.controller_objects:
    controller_endpoint: https://awx.example.com
    controller_token: "{{ vault_controller_token }}"
    controller_ca_path: /etc/cutover-arangodb/controller-ca.pem
    objects:
      - kind: inventory
        name: ArangoDB
        fields:
          organization: Default
      - kind: project
        name: ArangoDB
        fields:
          organization: Default
          scm_type: git
          scm_url: https://git.example.com/migration.git
      - kind: job_template
        name: Migrate
        fields:
          project: ArangoDB
          inventory: ArangoDB
          playbook: migrate.yml
      - kind: job_template
        name: Cut over
        fields:
          project: ArangoDB
          inventory: ArangoDB
          playbook: cutover.yml
      - kind: workflow_job_template
        name: Migrate and cut over
        fields:
          organization: Default
        nodes:
          - identifier: migrate
            job_template: Migrate
            success: [approve]
          - identifier: approve
            approval: Make the cutover
            timeout: 86400
            success: [cutover]
          - identifier: cutover
            job_template: Cut over
"""

RETURN = r"""
changes:
  description: What was changed (in check mode, would be), in order.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description: What it is.
      type: str
      sample: job_template
    name:
      description: Its name.
      type: str
      sample: Cut over
    action:
      description: V(created), V(updated) or V(removed).
      type: str
      sample: created
    before:
      description: Fields as they were.
      type: dict
      sample: {}
    after:
      description: Fields as they are now.
      type: dict
      sample: {"playbook": "cutover.yml"}
failure:
  description: The error as data.
  returned: failure
  type: dict
  contains:
    code:
      description: Code of the error in the catalogue.
      type: str
      sample: CUT-CONTROLLER-3
    http_status:
      description: HTTP status of the answer that was refused, if there was one.
      type: int
      sample: 400
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
      sample: https://awx.example.com:443/api/v2/job_templates/
    remedy:
      description: What to do about it.
      type: str
      sample: Read what it said of each field and correct the description of the object.
    details:
      description: Figures and names that belong to the error, such as C(name) and C(kind) of an object that is missing.
      type: dict
      sample: {"kind": "project", "name": "ArangoDB"}
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._controller.changes import Changes
from ..module_utils._controller.client import ControllerClient
from ..module_utils._controller.kinds import KINDS
from ..module_utils._controller.objects import Objects
from ..module_utils._controller.validation import check_objects
from ..module_utils._module.runner import run_module

NODES: dict[str, dict[str, Any]] = {
    "identifier": {"type": "str", "required": True},
    "job_template": {"type": "str"},
    "approval": {"type": "str"},
    "description": {"type": "str", "default": ""},
    "timeout": {"type": "int", "default": 0},
    **{edge: {"type": "list", "elements": "str", "default": []} for edge in ("success", "failure", "always")},
}
OBJECTS: dict[str, dict[str, Any]] = {
    "kind": {"type": "str", "required": True, "choices": list(KINDS)},
    "name": {"type": "str", "required": True},
    "fields": {"type": "dict", "default": {}},
    "links": {"type": "dict", "default": {}},
    "survey": {"type": "dict"},
    "nodes": {"type": "list", "elements": "dict", "options": NODES},
}


def run(module: AnsibleModule) -> dict[str, Any]:
    """Make every object; the result of the module."""
    params = module.params
    check_objects(params["objects"], params["secrets"])
    changes = Changes(module.check_mode)
    client = ControllerClient(
        params["controller_endpoint"],
        params["controller_token"],
        ca_path=params["controller_ca_path"],
        api_path=params["controller_api_path"],
        timeout=params["timeout"],
    )
    try:
        client.probe()
        objects = Objects(
            client,
            changes,
            secrets=params["secrets"],
            update_secrets=params["update_secrets"],
            wait_timeout=params["project_timeout"],
        )
        for description in params["objects"]:
            objects.apply(description)
    finally:
        client.close()
    for text in changes.unknown:
        module.warn(text)
    return {"changed": bool(changes.made), "changes": changes.made, "diff": changes.diff()}


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "controller_endpoint": {"type": "str", "required": True},
            "controller_api_path": {"type": "str", "default": "/api/v2"},
            "controller_token": {"type": "str", "required": True, "no_log": True},
            "controller_ca_path": {"type": "path"},
            "timeout": {"type": "float", "default": 60.0},
            "project_timeout": {"type": "float", "default": 300.0},
            "update_secrets": {"type": "bool", "default": False, "no_log": False},
            "secrets": {"type": "dict", "default": {}, "no_log": True},
            "objects": {"type": "list", "elements": "dict", "required": True, "options": OBJECTS},
        },
        supports_check_mode=True,
    )
    run_module(module, run)


if __name__ == "__main__":
    main()
