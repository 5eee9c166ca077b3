# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that say what is migrated to where."""

from __future__ import annotations


class ModuleDocFragment:
    """The target, and what is done on the way."""

    DOCUMENTATION = r"""
options:
  target_endpoints:
    description:
      - Endpoints of the target, each as V(https://HOST:PORT).
      - If not set, E(CUTOVER_TARGET_ENDPOINTS) is used, with commas between endpoints.
    type: list
    elements: str
  target_ca_path:
    description:
      - File on the agent's host with the CA certificates of the target.
      - If not set, E(CUTOVER_TARGET_CA_PATH) is used, and the system's certificates without that.
    type: path
  target_username:
    description:
      - User of the target that may do everything there. This user itself is not migrated.
      - If not set, E(CUTOVER_TARGET_USERNAME) is used.
    type: str
    default: root
  target_password:
    description:
      - Password of O(target_username). It is kept only in the agent's state directory.
      - If not set, E(CUTOVER_TARGET_PASSWORD) is used.
    type: str
  name:
    description: Name of the migration, for reports and logs.
    type: str
    default: default
  include:
    description:
      - Patterns of what is migrated, each as V(DATABASE) or V(DATABASE/COLLECTION), where V(*) stands for any characters.
      - Without any, everything is. System collections go with their database.
    type: list
    elements: str
    default: []
  exclude:
    description:
      - Patterns of what is left out, in the form of O(include), over which they win.
      - A graph, a view or a collection with C(distributeShardsLike) that would lack what is left out is refused unless
        O(accept) names it, such as V(features-torn:graph shop/net).
      - What is left out is named by the prechecks, the status and the report. Users get no grants on it on the target.
      - A cutover makes the whole source read-only, with what is left out. The module M(cutover.arangodb.server_mode) undoes that.
    type: list
    elements: str
    default: []
  replication_factor:
    description:
      - Numbers of copies on the target, by patterns in the form of O(include); others keep the source's and follow it.
      - A pattern for collections counts before one for databases, then the longer one. One for databases is also what new
        collections get there. Satellites, system collections and what is distributed like another collection stay as they are.
    type: dict
    default: {}
  write_concern:
    description:
      - How many copies must confirm a write on the target, by patterns as in O(replication_factor).
      - Without it the source's is kept, or lowered to the number of copies.
    type: dict
    default: {}
  overwrite_target:
    description:
      - Whether databases and users that the target already holds may be destroyed.
      - Without it, a target that holds data is refused, and the refusal lists what is there.
    type: bool
    default: false
  early_readers:
    description: Whether the migrated users may read on the target before the cutover.
    type: bool
    default: false
  require_guard:
    description:
      - No cutover may begin unless a guard runs on the agent's host.
      - The guard is the command C(guard) of the agent's archive; it gives the source back when the agent cannot.
    type: bool
    default: false
  ignore_metrics:
    description: Whether checks that cannot measure become warnings.
    type: bool
    default: false
  accept:
    description: Findings and checks to accept, each with the reason that the report will show.
    type: list
    elements: dict
    default: []
    suboptions:
      id:
        description: Identifier of the check or finding.
        type: str
        required: true
      reason:
        description: Why it is acceptable.
        type: str
        required: true
  users:
    description:
      - What becomes of the users of the source, V(root) and the migrating user excepted.
      - V(copy) keeps passwords and grants.
      - V(recreate) is for targets that do not take password hashes. Users are made with their grants and new random
        passwords, which are kept in the file C(new-passwords.json) (mode 0600) in the agent's state directory. Hand
        them out and remove the file. A password that is changed on the source meanwhile is not followed.
      - V(skip) leaves users out.
    type: str
    choices: [copy, recreate, skip]
    default: copy
  max_lag:
    description: Replication lag in seconds above which a cutover is refused.
    type: float
    default: 5.0
  settle_after:
    description: Seconds after which a request without answer is taken for settled and its documents are read back.
    type: float
    default: 300.0
  late_write_watch:
    description: Seconds for which the source is watched for late writes after the target has opened.
    type: float
    default: 10.0
  compress:
    description:
      - Whether data goes to the target compressed. V(auto) measures both ways and takes the quicker one.
      - Targets before 3.12 do not take compressed data. V(always) is refused there, V(auto) does without.
    type: str
    choices: [auto, always, never]
    default: auto
  warm_up:
    description:
      - Whether indexes of the target are loaded into its memory, and one query is made on every collection, before the
        source is fenced.
      - It takes O(max_downtime) at most, which is not part of the write downtime, and prevents nothing.
    type: bool
    default: false
  repair:
    description:
      - Whether a document on the target that the verification finds different from the source's is put right.
      - Without it, each one is a finding that refuses the cutover until it is accepted or gone.
    type: bool
    default: true
  verify_rate:
    description:
      - Keys per second that the verification reads at most while it compares a collection for the first time.
      - Later rounds take a tenth of it.
    type: float
    default: 200000.0
  checksum_seconds:
    description:
      - Seconds of the write downtime that a cutover spends at most on checksums of whole collections, as a proof on top
        of counts, of the comparison before, and of reading back what was written since.
      - The report says which collections they have covered. V(0) leaves them out.
    type: float
    default: 2.0
  max_downtime:
    description:
      - Longest write downtime in seconds that a cutover may take. It is undone when it would take longer.
      - At the cutover it overrides the value given at the start. The agent's default is 300.
    type: float
"""
