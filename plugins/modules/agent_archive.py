#!/usr/bin/python
# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: agent_archive
short_description: Build the agent's archive on the controller
version_added: 1.0.0
description:
  - Packs the agent of this collection into one file that runs on Python 3.9 or newer with nothing installed.
  - The same collection gives the same bytes on every machine, so that the file's digest names its content.
  - Implemented as an action plugin. It always runs on the controller.
author:
  - The cutover.arangodb contributors (!UNKNOWN)
extends_documentation_fragment:
  - cutover.arangodb.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  dest:
    description: Where on the controller the file is written. The directory must exist.
    type: path
    required: true
"""

EXAMPLES = r"""
- name: Build the agent
  cutover.arangodb.agent_archive:
    dest: /tmp/cutover-agent.pyz
  run_once: true
"""

RETURN = r"""
path:
  description: The file on the controller.
  returned: success
  type: str
  sample: /tmp/cutover-agent.pyz
sha256:
  description: Digest of the file's content.
  returned: success
  type: str
  sample: 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824
size:
  description: Bytes of the file.
  returned: success
  type: int
  sample: 512000
version:
  description: Version of the collection that it was built from.
  returned: success
  type: str
  sample: 1.0.0
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
