#!/usr/bin/python
# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: tls_keyfile
short_description: Make, renew or check a keyfile on the controller
version_added: 1.0.0
description:
  - A keyfile is one PEM with a certificate and its private key, the form that ArangoDB and the agent use.
  - The keyfile is made anew when it is missing, cannot be read, has other parameters, was signed by another CA, or
    ends soon. The private key is made anew with it.
  - With O(src) a keyfile that somebody else has made is checked, and taken only when it can be used.
  - Private keys have the mode 0600 from their first byte on. They are never part of a result or a diff.
  - Implemented as an action plugin. It always runs on the controller.
author:
  - The cutover.arangodb contributors (!UNKNOWN)
requirements:
  - cryptography >= 42 on the controller
extends_documentation_fragment:
  - cutover.arangodb.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - Shows what the certificates say, never the key.
  idempotent:
    support: full
    details:
      - Not with O(force=true).
options:
  dest:
    description:
      - The keyfile on the controller. The directory must exist.
      - Needed unless O(src) is given, which is then only checked.
    type: path
  kind:
    description: What the certificate is good for.
    type: str
    choices: [ca, server, client]
    default: server
  common_name:
    description:
      - Name of the subject. For O(kind=client) this is the name that the agent knows the caller by.
      - Without it, the first of O(subject_alt_names).
    type: str
  subject_alt_names:
    description: Host names and addresses that clients use. Needed for O(kind=server).
    type: list
    elements: str
    default: []
  key_type:
    description: Kind and size of the private key.
    type: str
    choices: [ecdsa-p256, ecdsa-p384, ed25519, rsa-3072, rsa-4096]
    default: ecdsa-p256
  valid_days:
    description:
      - Days that a new certificate is valid.
      - Without it, 3650 for a CA and 397 for others. Another value does not renew a certificate that is there.
    type: int
  renew_before:
    description: The keyfile is made anew when its certificate ends in fewer days than this.
    type: int
    default: 30
  ca_keyfile:
    description: Keyfile of the CA that signs. Needed for V(server) and V(client) unless O(src) is given.
    type: path
  certificate_path:
    description: Where the certificates alone go, mode 0644; for a CA this is the file that others verify with.
    type: path
  src:
    description:
      - A keyfile on the controller that somebody else has made.
      - It must hold one key that belongs to its first certificate, be valid now, be good for O(kind), cover all
        O(subject_alt_names) and lead to a certificate of O(ca_path).
    type: path
  ca_path:
    description: CA certificates that a keyfile given by O(src) must lead to.
    type: path
  backup:
    description: Whether a keyfile that is replaced is kept beside the new one.
    type: bool
    default: false
  force:
    description: Whether a keyfile is made anew although it is fine.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: A CA for the agents
  cutover.arangodb.tls_keyfile:
    dest: /tmp/cutover-certificates/ca.keyfile
    kind: ca
    common_name: cutover agents
    certificate_path: /tmp/cutover-certificates/ca.pem
  run_once: true

- name: A certificate for an agent
  cutover.arangodb.tls_keyfile:
    dest: /tmp/cutover-certificates/agent.keyfile
    kind: server
    subject_alt_names:
      - agent-1.example.com
      - 192.0.2.17
    ca_keyfile: /tmp/cutover-certificates/ca.keyfile

- name: A keyfile of the company's CA, checked
  cutover.arangodb.tls_keyfile:
    dest: /tmp/cutover-certificates/given.keyfile
    src: /tmp/cutover-certificates/agent.keyfile
    ca_path: /tmp/cutover-certificates/ca.pem
    subject_alt_names:
      - agent-1.example.com
"""

RETURN = r"""
path:
  description: The keyfile on the controller.
  returned: success
  type: str
  sample: /tmp/cutover-certificates/agent.keyfile
reason:
  description:
    - Why the keyfile was made (V(missing), V(unparsable), V(parameters), V(issuer), V(expiring), V(forced)) or taken
      (V(given)).
    - V(files) says that only permissions or O(certificate_path) were put right, V(fine) that nothing was done.
  returned: success
  type: str
  sample: missing
reason_text:
  description: The reason in words.
  returned: success
  type: str
  sample: there is no keyfile
certificate:
  description: What the certificate says.
  returned: success
  type: dict
  contains:
    kind:
      description: What it is good for.
      type: str
      sample: server
    subject:
      description: Its subject.
      type: str
      sample: CN=agent-1.example.com
    issuer:
      description: Who signed it.
      type: str
      sample: CN=cutover agents
    subject_alt_names:
      description: Host names and addresses.
      type: list
      elements: str
      sample: [192.0.2.17, agent-1.example.com]
    not_before:
      description: Begin of its life.
      type: str
      sample: "2026-11-28T03:00:00Z"
    not_after:
      description: End of its life.
      type: str
      sample: "2027-12-30T03:00:00Z"
    serial:
      description: Serial number, hexadecimal.
      type: str
      sample: 4f1c2b
    key_type:
      description: Kind and size of the key.
      type: str
      sample: ecdsa-p256
    fingerprint:
      description: SHA-256 of the certificate.
      type: str
      sample: "3a:0f:9e"
backup_file:
  description: Where the replaced keyfile is kept, null when none is.
  returned: success
  type: str
  sample: /tmp/cutover-certificates/agent.keyfile.2026-11-28@03:00:00~
failure:
  description: The error as data.
  returned: failure
  type: dict
  contains:
    code:
      description: Code of the error in the catalogue.
      type: str
      sample: CUT-CERT-3
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
      sample: false
    endpoint:
      description: Who was asked.
      type: str
      sample: https://127.0.0.1:8629
    remedy:
      description: What to do about it.
      type: str
      sample: Correct the named option.
    details:
      description: Figures and names that belong to the error, such as C(field), the option that is wrong.
      type: dict
      sample: {"field": "subject_alt_names"}
"""
