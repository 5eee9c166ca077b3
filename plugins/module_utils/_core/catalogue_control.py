# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Error codes of the control part."""

from __future__ import annotations

from .catalogue_entry import Entry

_BUG = "This is an error of this software: please report it with the message."

CODES: dict[str, Entry] = {
    "CUT-SPEC-1": Entry("error", "operator", "A field has a value that cannot be used", "Correct the named field."),
    "CUT-SPEC-2": Entry("error", "operator", "An unknown field", "Take the field out, or correct its name."),
    "CUT-SPEC-3": Entry("error", "operator", "A required field is missing", "Give the named field."),
    "CUT-SPEC-4": Entry("error", "operator", "Fields contradict each other", "Change one of the named fields."),
    "CUT-SPEC-5": Entry(
        "error", "operator", "An endpoint that the agent's configuration does not allow",
        "Add the host to allowed_sources or allowed_targets in the agent's own configuration, or use one of those.",
    ),
    "CUT-STATE-1": Entry("error", "operator", "No migration was started", "Start the migration first."),
    "CUT-STATE-2": Entry(
        "error", "operator", "Another specification is running",
        "Use the specification of the running migration, or abort it first.",
    ),
    "CUT-STATE-3": Entry(
        "error", "operator", "The migration into this target is completed",
        "Nothing is left to do. To migrate into this deployment again, destroying everything on it, set "
        "overwrite_target: true and replace_completed to the id that the message names.",
    ),
    "CUT-STATE-4": Entry(
        "error", "operator", "Another agent holds this migration",
        "Use the agent on the host that the message names. To go on from here, end that agent first: a start here then "
        "takes over as soon as its lease has run out.",
    ),
    "CUT-FLEET-1": Entry(
        "error", "operator", "This agent copies for another one",
        "Ask the agent on the host that the message names. To lead from here, end that agent, then start here again.",
    ),
    "CUT-FLEET-2": Entry(
        "warning", "transient", "Another agent still copies what an earlier lead has asked for",
        "Nothing has to be done: it stops within the time of its lease.",
    ),
    "CUT-FLEET-3": Entry(
        "error", "operator", "There is no such migration to copy for any more",
        "Start the migration on the agent that is to lead it, then on this one again; or remove this agent.",
    ),
    "CUT-STATE-5": Entry(
        "error", "operator", "Not possible in this state",
        "Look at the status: allowed_actions lists what can be asked for now.",
    ),
    "CUT-STATE-6": Entry(
        "error", "operator", "The state directory is in use by another agent process",
        "End the other agent process, or give this one a state directory of its own.",
    ),
    "CUT-STATE-7": Entry(
        "error", "operator", "The target holds the journal of another migration",
        "To go on with that migration, start it with the settings that it was begun with. Otherwise abort it, or "
        "choose another target; set overwrite_target if what an aborted one left may be destroyed.",
    ),
    "CUT-STATE-8": Entry(
        "warning", "operator", "The agent was restarted before the cutover that was asked for had begun",
        "Ask for the cutover again. The source was not touched, and the migration goes on.",
    ),
    "CUT-STATE-10": Entry(
        "error", "operator", "The state directory was written by a newer version",
        "Use the version of the agent that began this migration, or a newer one: deploy it again from the collection "
        "that it came with.",
    ),
    "CUT-STATE-11": Entry(
        "warning", "transient", "The state directory is not that of the last checkpoint",
        "Nothing has to be done: positions are taken from the journal, and all is compared anew. If the host was not "
        "set back to a snapshot or backup, find out who has changed its state directory.",
    ),
    "CUT-STATE-9": Entry("error", "fatal", "A state change that does not exist", _BUG),
    "CUT-DISK-1": Entry(
        "error", "operator", "The state directory cannot be written",
        "Give the disk room or correct the owner of the state directory; the migration goes on by itself then.",
    ),
    "CUT-DISK-2": Entry(
        "error", "operator", "A file of the state directory cannot be read",
        "Restore the file, or abort with a new state directory and start again.",
    ),
    "CUT-TOPO-1": Entry(
        "error", "operator", "A server of the source is not allowed",
        "Add the host to allowed_servers, or give the address to use in endpoint_map.",
    ),
    "CUT-TOPO-2": Entry(
        "error", "operator", "A server of the source does not speak TLS",
        "Switch TLS on at the source, or allow it with allow_plaintext_source on a network that you trust.",
    ),
    "CUT-TOPO-3": Entry(
        "error", "operator", "The source's servers cannot be found out",
        "Check that source_endpoints are coordinators of an ArangoDB cluster of version 3.10 or newer.",
    ),
    "CUT-TOPO-4": Entry(
        "error", "operator", "The source is not a cluster",
        "Give coordinators of a cluster in source_endpoints. Single servers and active failover are moved by dump and "
        "restore.",
    ),
    "CUT-TOPO-5": Entry(
        "error", "operator", "Another server answers at an address of the source",
        "Correct endpoint_map: each server must be reached at an address of its own.",
    ),
    "CUT-TOPO-6": Entry(
        "error", "operator", "An endpoint of the source is no coordinator", "Give coordinators in source_endpoints."
    ),
    "CUT-TOPO-7": Entry(
        "error", "transient", "No DB-Server of the source can be reached",
        "Look whether the DB-Servers run and can be reached from the agent's host, and that source_endpoints are "
        "coordinators of a cluster: its health document names the DB-Servers.",
    ),
    "CUT-TOPO-8": Entry(
        "warning", "transient", "The source's servers changed while migrating",
        "Nothing has to be done: shards that may lack writes of the moment of the change are compared with the source "
        "and repaired. Until then no cutover is possible.",
    ),
    "CUT-TOPO-9": Entry(
        "error", "operator", "A new server of the source cannot be connected to",
        "Allow the server (allowed_servers, endpoint_map), see that it can be reached from the agent's host and takes "
        "the cluster's JWT secret, or take it out of the cluster again.",
    ),
    "CUT-FENCE-1": Entry(
        "error", "transient", "Not every server shows the server mode that was set",
        "Look at the named servers: one that does not answer must be brought back or taken out of the cluster.",
    ),
    "CUT-FENCE-2": Entry(
        "error", "operator", "A server does not tell its server mode",
        "Look whether the named server runs, can be reached from the agent's host and takes the source's JWT secret. "
        "One that is gone for good must be taken out of the cluster.",
    ),
    "CUT-FENCE-3": Entry(
        "error", "transient", "The server mode cannot be set",
        "Check that a coordinator is reachable and that the cluster's agency has a leader.",
    ),
    "CUT-FENCE-4": Entry(
        "error", "transient", "Writers on the source do not end",
        "End the named queries and transactions by hand, then try the cutover again.",
    ),
    "CUT-FENCE-5": Entry(
        "error", "operator", "The fence was lifted before the opening",
        "The source is in use again and nothing is lost: the target was not opened without what was written meanwhile. "
        "Find out who sets the server mode (a person, a script, a monitoring job), then try the cutover again.",
    ),
    "CUT-FINDING-1": Entry(
        "error", "operator", "Too many findings to list",
        "Remove the cause of those listed, then abort and start again.",
    ),
    "CUT-LEASE-1": Entry(
        "warning", "transient", "The lease has run out",
        "Nothing has to be done: it is renewed as soon as the target answers; until then nothing is written.",
    ),
    "CUT-LEASE-2": Entry(
        "error", "operator", "The lease was taken by another agent",
        "Use the agent on the host that the message names. This one has stopped and writes nothing more.",
    ),
    "CUT-JOURNAL-1": Entry(
        "error", "operator", "The journal cannot be made on the target",
        "Give the target user the level rw on _system; the target must not be read-only.",
    ),
    "CUT-JOURNAL-2": Entry(
        "error", "transient", "A journal document was changed by someone else",
        "Nothing may write into the journal but the agent that holds its lease: find out who did.",
    ),
    "CUT-JOURNAL-3": Entry(
        "error", "operator", "The journal is of a newer version",
        "Use an agent of the version that began this migration, or a newer one.",
    ),
    "CUT-JOURNAL-4": Entry(
        "error", "operator", "There is no journal on the target",
        "Check that the target is the one of this migration; without its journal nothing is known about a cutover.",
    ),
    "CUT-DECISION-1": Entry("error", "fatal", "A step of the decision record that does not exist", _BUG),
    "CUT-DECISION-2": Entry(
        "error", "transient", "The decision was taken differently meanwhile",
        "Nothing has to be done: the record on the target decides, and this agent follows it.",
    ),
    "CUT-SCHEMA-1": Entry(
        "error", "operator", "The target refuses a definition",
        "Read the target's message; change or drop the definition on the source, or use a target that can take it.",
    ),
    "CUT-SCHEMA-2": Entry(
        "error", "operator", "A target collection has another layout than the source's",
        "Drop the collection on the target and start again: shards, shard keys and strategy must be the same.",
    ),
    "CUT-SCHEMA-3": Entry(
        "error", "operator", "A definition on the target is not the source's",
        "Nothing has to be done while it is followed; if it stays, compare the named definition on both sides.",
    ),
    "CUT-SCHEMA-4": Entry(
        "error", "operator", "A source collection cannot keep its revisions",
        "Collections made before 3.8 (usesRevisionsAsDocumentIds false) must be dumped and restored there first. Or "
        "start with rev_policy: regenerate for them.",
    ),
    "CUT-SCHEMA-5": Entry(
        "error", "operator", "A unique index cannot be built on the target",
        "Two documents have the same values there. If the source has none, abort and start again.",
    ),
    "CUT-SCHEMA-6": Entry(
        "warning", "operator", "A definition is left out because the target's version has no such thing",
        "See the message for what takes its place.",
    ),
    "CUT-SCHEMA-7": Entry(
        "warning", "transient", "The definitions of the source cannot be read",
        "Nothing has to be done: it is repeated. If it stays, check the source's coordinators.",
    ),
    "CUT-SCHEMA-8": Entry(
        "error", "operator", "The inventory of the source is not as expected",
        "Check that the source is of version 3.10 or newer; report the message with the version.",
    ),
    "CUT-SCHEMA-9": Entry(
        "warning", "operator", "A late index was not built",
        "Build the named index on the target by hand; the data is complete without it.",
    ),
    "CUT-SELECT-1": Entry(
        "info", "operator", "Left out by include and exclude",
        "Nothing has to be done: it is neither copied nor verified, and users get no grants on it on the target. A "
        "cutover makes it read-only with the rest of the source.",
    ),
    "CUT-SELECT-2": Entry(
        "error", "operator", "Something that is migrated needs what is left out",
        "Change it on the source, or accept this finding. Or abort and start again with another include or exclude, or "
        "with its id in accept.",
    ),
    "CUT-SELECT-3": Entry(
        "error", "operator", "A collection cannot have the wanted number of shards or revision policy",
        "Its definition is followed as the source has it. Change it on the source, accept this finding if that is "
        "meant, or abort and start again with another number_of_shards or rev_policy.",
    ),
    "CUT-USER-1": Entry(
        "error", "operator", "The target refuses the restore of users",
        "Give the target user the level rw on _system. Where the provider forbids it, start with users: recreate "
        "(new passwords), or with users: skip and make the users by hand.",
    ),
    "CUT-USER-2": Entry(
        "error", "operator", "Users on the target are not as they must be",
        "Nothing but this agent may change users on the target before the opening: find out who did.",
    ),
    "CUT-PROOF-1": Entry(
        "error", "operator", "Source and target differ",
        "The source is open again and nothing is lost. Abort and start again; report it if it comes back.",
    ),
    "CUT-PROOF-2": Entry(
        "error", "transient", "Writes came after the fence",
        "Find the client that writes with superuser rights on the source and stop it, then try the cutover again.",
    ),
    "CUT-PROOF-3": Entry(
        "warning", "operator", "A write on the source came after the opening",
        "The named document was written on the source by a superuser after the target was opened: copy it by hand.",
    ),
    "CUT-CUTOVER-1": Entry(
        "error", "transient", "The cutover took longer than max_downtime",
        "Try at a quieter time, or allow a longer max_downtime.",
    ),
    "CUT-CUTOVER-2": Entry(
        "error", "transient", "Definitions on the source changed during the cutover",
        "Try again when nobody makes, changes or drops collections, indexes, views or analyzers.",
    ),
    "CUT-CUTOVER-3": Entry(
        "error", "transient", "The source's servers changed during the cutover",
        "Wait until the source cluster is quiet and all shards are in sync again, then try again.",
    ),
    "CUT-CUTOVER-4": Entry(
        "error", "transient", "The cutover was cancelled", "Nothing has to be done: the source is open as before."
    ),
    "CUT-CUTOVER-5": Entry(
        "warning", "transient", "The way back is not finished",
        "It is repeated until it succeeds. The source stays read-only until then: check that it can be reached, or set "
        "its mode by hand.",
    ),
    "CUT-CUTOVER-6": Entry(
        "warning", "transient", "The opening is not finished",
        "It is repeated until it succeeds: check that the target can be reached.",
    ),
    "CUT-CUTOVER-7": Entry(
        "error", "operator", "The opening was refused by whoever asked for the cutover",
        "Nothing has to be done on either cluster: the source is open as before. Remove the reason, then try again.",
    ),
    "CUT-CUTOVER-8": Entry(
        "error", "operator", "The opening was released or refused before, and that stays",
        "Look at the status: it tells how the cutover goes on or has ended.",
    ),
    "CUT-GATE-1": Entry(
        "error", "operator", "The cutover is not possible now",
        "Remove each blocker as its own remedy says, or let the cutover wait for what passes by itself (gate_timeout).",
    ),
    "CUT-GATE-2": Entry("error", "transient", "The copy is not finished", "Wait until all shards are in sync."),
    "CUT-GATE-3": Entry("error", "transient", "The target lags behind", "Wait, or allow a larger max_lag."),
    "CUT-GATE-4": Entry(
        "error", "transient", "Writes whose outcome is not known yet are waiting to be read back",
        "Wait: they are read back after settle_after.",
    ),
    "CUT-GATE-5": Entry("error", "transient", "Unique indexes are being built", "Wait until they are built."),
    "CUT-GATE-6": Entry("error", "operator", "There are findings", "Remove the cause of each finding, or abort."),
    "CUT-GATE-7": Entry(
        "error", "operator", "The mode of the source's servers cannot be read or differs",
        "Bring every server of the source back; set one mode for all of them.",
    ),
    "CUT-GATE-8": Entry(
        "error", "operator", "The expected downtime is longer than allowed",
        "Allow a longer max_downtime, or choose a quieter time.",
    ),
    "CUT-GATE-9": Entry("error", "operator", "The migration is paused", "Resume it first."),
    "CUT-GATE-10": Entry(
        "error", "transient", "The migration is waiting for a server", "Look at what the status says it is waiting for."
    ),
    "CUT-GATE-11": Entry(
        "error", "transient", "Users are not copied yet", "Wait; if it stays, look at the findings."
    ),
    "CUT-GATE-12": Entry(
        "error", "transient", "The last way back was taken by others, too",
        "Wait: a late request of the guard, a rescue or another agent may lift a fence until then.",
    ),
    "CUT-GATE-13": Entry(
        "error", "operator", "No guard runs on the agent's host",
        "Start the guard beside the agent (cutover-agent guard --config FILE), or start without require_guard.",
    ),
    "CUT-GUARD-1": Entry(
        "warning", "operator", "A fence without a guard",
        "Start the guard beside the agent (cutover-agent guard --config FILE): it gives the source back if the agent "
        "cannot.",
    ),
    "CUT-GUARD-2": Entry(
        "error", "operator", "The guard may not give the source back",
        "Start the agent: it follows the record on the target. If its host is lost, use the playbook rescue, or take "
        "over with an agent on another host.",
    ),
    "CUT-GUARD-3": Entry(
        "error", "operator", "The guard cannot end the agent",
        "End the agent's process by hand, and let the guard run as the same user on the same host.",
    ),
    "CUT-RESCUE-1": Entry(
        "error", "operator", "The opening is decided: the source is not given back",
        "Start an agent with the same settings: it finishes the opening. There is no way back by itself any more.",
    ),
    "CUT-RESCUE-2": Entry(
        "error", "transient", "The record changes while the rescue reads it", "Run the rescue again.",
    ),
    "CUT-GUARD-4": Entry(
        "error", "operator", "Another guard uses this state directory", "Use the guard that runs, or end it first."
    ),
    "CUT-ENGINE-1": Entry("error", "fatal", "The migration stopped at an unexpected error", _BUG),
}
