# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Error codes around the opening: its revocation."""

from __future__ import annotations

from .catalogue_entry import Entry

CODES: dict[str, Entry] = {
    "CUT-USER-3": Entry(
        "warning", "operator", "A user was changed on the source after the opening",
        "Make the same change on the target by hand: password, grants, or the removal of the user.",
    ),
    "CUT-USER-4": Entry(
        "warning", "operator", "Users were made with new passwords",
        "Hand each user the password from the named file, which only the agent's account can read, and remove the file "
        "after the opening.",
    ),
    "CUT-USER-5": Entry(
        "warning", "operator", "A user could not be opened with the target",
        "Applications that log in as this user cannot work yet; everybody else can. The agent goes on trying for ten "
        "minutes, and takes this away when it has succeeded. If it stays, set by hand what the message names: active "
        "(PATCH /_api/user/NAME), or the grants.",
    ),
    "CUT-PROOF-4": Entry(
        "warning", "operator", "Late writes on the source could not be watched for the whole time",
        "Compare both sides once (changes since the opening), or make sure that no superuser writes on the source.",
    ),
    "CUT-CLEANUP-1": Entry(
        "warning", "operator", "A database holds what this migration has not made, so it was not removed",
        "Look at the collections that the message names. Remove the database by hand if nobody needs them.",
    ),
    "CUT-CLEANUP-2": Entry(
        "warning", "operator", "An aborted migration leaves the partial copy on the target",
        "Start again with the same source to complete it, or abort with cleanup: true to remove it.",
    ),
    "CUT-CHANGES-1": Entry(
        "error", "operator", "The target was not opened yet",
        "Ask after the cutover: before it nobody but the migration writes on the target.",
    ),
    "CUT-CHANGES-2": Entry(
        "error", "transient", "Reading the target did not end in time", "Ask again with a longer timeout.",
    ),
    "CUT-KEYS-1": Entry(
        "error", "operator", "Keys made on the target may meet migrated ones",
        "Give keys in the application or use the key generator uuid; or let somebody who can restart the target raise "
        "its ids (PUT /_admin/cluster/uniqId?minimum=N, from 3.12.5 on). If no application relies on keys made by the "
        "server, accept features-generated-keys with a reason.",
    ),
    "CUT-KEYS-2": Entry(
        "error", "transient", "Whether keys made on the target may meet migrated ones is not known yet",
        "Wait: it is tried out on the target as soon as nothing else blocks the cutover, and again by itself after "
        "trouble. `cutover-agent status` (or the playbook status) lists this blocker until then. If the message names "
        "what the target refuses, give the migrating user that right.",
    ),
    "CUT-REVOKE-1": Entry(
        "error", "operator", "There is no opening that could be revoked",
        "Only the opening of a completed migration can be revoked; before it, abort.",
    ),
    "CUT-REVOKE-2": Entry(
        "error", "operator", "The opening is not revoked: the target was written since",
        "The target is open as before and the source stays read-only. Going back would lose the writes that are "
        "listed: carry them over by hand, or stay on the target.",
    ),
    "CUT-REVOKE-3": Entry(
        "error", "operator", "The opening cannot be revoked",
        "Remove the named cause, then ask again; nothing was changed.",
    ),
    "CUT-REVOKE-4": Entry(
        "error", "transient", "The comparison for the revocation did not end in time",
        "The target is open as before. Ask again with a longer timeout, or at a quieter time.",
    ),
    "CUT-REVOKE-5": Entry(
        "warning", "transient", "The revocation is not finished",
        "It is repeated until it succeeds: check that source and target can be reached.",
    ),
}
