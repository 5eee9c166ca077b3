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
  target_ca_pem:
    description:
      - The CA certificates of the target as PEM text, in place of O(target_ca_path). They are kept with the password.
      - Like the password, they can be replaced while the migration runs, by the same specification with other ones.
    type: str
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
  number_of_shards:
    description:
      - Numbers of shards on the target, by patterns as in O(replication_factor); others keep the source's.
      - Another number than the source's needs V(regenerate) in O(rev_policy) for the collection, as two documents of different
        shards may have one revision, and in one shard one would overwrite the other. Without it the start is refused.
      - Refused by name as well are satellites, collections that are placed like others or that others are placed like, collections
        of smart graphs, collections whose shards are not chosen by C(_key), and more than one shard for the key generator
        C(autoincrement) or for unique indexes without C(_key).
    type: dict
    default: {}
  rev_policy:
    description:
      - Whether the target keeps the source's revisions, V(keep) or V(regenerate), by patterns as in O(replication_factor). Without
        a pattern they are kept.
      - With V(regenerate) the target gives every document a C(_rev) of its own. Documents are compared by their contents then, while
        the migration runs and at the cutover, which makes the servers and the agent read them as a whole.
      - It is refused for collections of smart graphs, for those whose shards are not chosen by C(_key), and for sources before
        3.11.12 and 3.12.3, which round large numbers. System collections keep their revisions always.
    type: dict
    default: {}
  overwrite_target:
    description:
      - Whether databases and users that the target already holds may be destroyed.
      - Without it, a target that holds data is refused, and the refusal lists what is there.
    type: bool
    default: false
  replace_completed:
    description:
      - Id of the completed migration that may be replaced. Everything on its target is destroyed, also what applications
        have written since, so O(overwrite_target) must be true.
      - Without it, or with another id, a target into which a migration was completed is refused. The refusal names the
        id. A migration has an id of its own each time it is begun, so this acts once.
    type: str
  join:
    description:
      - Whether this agent copies for another one, when one leads the migration already. Without it such a start is
        refused, naming who leads.
      - Give the same specification with V(true) to several agents, each on a host of its own. The first one leads; it
        does everything but a part of the copy. The others copy snapshots for it, each within its own limits, until the
        migration is over.
      - When the agent that leads is gone for good, the same start again on any other host makes that one lead, as soon
        as the lease of the former one has run out.
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
  load:
    description:
      - How much load the migration puts on both sides, V(balanced) if not given. It may be changed while the migration runs.
      - V(gentle) copies at most 20 MB and 5000 documents a second with one copier for each DB-Server, verifies 20000
        keys a second, and gives way when requests of others wait for 0.1 seconds.
      - V(balanced) has two copiers for each DB-Server, verifies 200000 keys a second, and gives way at 0.5 seconds.
      - V(fast) has four copiers, verifies 500000 keys a second, and gives way at 2 seconds.
      - V(max) has eight copiers and never gives way, but before the disk of the agent's host is full.
    type: str
    choices: [gentle, balanced, fast, max]
  mb_per_second:
    description:
      - Megabytes (of 1000000 bytes) of documents that are copied in a second, instead of what O(load) says. V(0) means
        no limit. It may be changed while the migration runs.
    type: float
  operations_per_second:
    description:
      - Documents that are written to the target in a second, instead of what O(load) says. V(0) means no limit. It may
        be changed while the migration runs.
      - Replication of ongoing writes counts, but is never held back, as the source would have to keep its log longer.
    type: float
  verify_rate:
    description:
      - Keys per second that the verification reads at most while it compares a collection for the first time, instead
        of what O(load) says. It may be changed while the migration runs.
      - Later rounds take a tenth of it.
    type: float
  copiers:
    description:
      - How many parts of one DB-Server's data are copied at once at most, 1 to 32, instead of what O(load) says. It may
        be changed while the migration runs.
    type: int
  windows:
    description:
      - Bandwidth by time of day. The first window that is open decides instead of O(mb_per_second). It may be changed
        while the migration runs.
    type: list
    elements: dict
    suboptions:
      from:
        description: Time of day at which the window opens, as HH:MM.
        type: str
        required: true
      to:
        description: Time of day at which it closes. One that is not later than O(windows[].from) is of the next day.
        type: str
        required: true
      days:
        description: Days on which it opens; all without this.
        type: list
        elements: str
        choices: [mon, tue, wed, thu, fri, sat, sun]
      mb_per_second:
        description: Megabytes of documents that are copied in a second, more than 0.
        type: float
        required: true
      time_zone:
        description: Name of the time zone, from the time zone database of the agent's host.
        type: str
        default: UTC
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
