# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Everything that the migration asks a cluster before it relies on it: the one table of capabilities (facts §12)."""

from __future__ import annotations

from ..dataplane_types import MIB, Settings
from . import probes_source, probes_target
from .capability import Capability

_BATCH = f"{Settings().batch_bytes // MIB} MiB"

CAPABILITIES: tuple[Capability, ...] = (
    Capability(
        "source-parallel-dump", "source", "Snapshots by /_api/dump", "§12.7",
        "snapshots by the parallel dump, whose batches can be asked for again",
        "snapshots by the old dump, where a lost answer costs the copy of a shard", probes_source.parallel_dump,
    ),
    Capability(
        "source-log-end", "source", "The end of a log is no gap", "§12.1, §12.4",
        "frompresent=false is a gap wherever the log has gone on",
        "frompresent=false at the very end of a log is no gap", probes_source.log_end_readable,
    ),
    Capability(
        "source-shard-ids", "source", "DB-Servers know shards by plan id and name", "§12.2",
        "markers belong to a shard by plan id and name", "markers belong to a shard by its name alone",
        probes_source.shard_guids,
    ),
    Capability(
        "source-reboot-ids", "source", "DB-Servers tell their rebootId", "§2.2",
        "a restart is seen by the rebootId", "a restart is seen by a gap in the log or another data directory only",
        probes_source.reboot_ids,
    ),
    Capability(
        "source-log-clients", "source", "DB-Servers list who their log is kept for", "§5.7",
        "it is looked up that the log is kept for the agent", "a warning says that this could not be looked up",
        probes_source.log_clients,
    ),
    Capability(
        "source-disk-metrics", "source", "DB-Servers tell free disk and size of the log", "§2.4, §12.17",
        "the growth of logs slows the copy down and pauses it", "disks of the source have to be watched by you",
        probes_source.disk_metrics,
    ),
    Capability(
        "source-modes", "source", "Every server shows its mode", "§2.3",
        "the fence is read back from every server; rehearse with fence_seconds to try it",
        "a cutover is refused: a server whose mode is not known may take writes", probes_source.modes,
    ),
    Capability(
        "source-writers", "source", "Coordinators list queries and transactions", "§2.3",
        "what still writes after the fence is listed and ended",
        "a cutover takes the way back: nothing tells whether a writer is left", probes_source.running_writers,
    ),
    Capability(
        "source-exact-numbers", "source", "Large numbers can be read exactly", "§5.8, §12.6",
        "documents keep every number; where the version rounds, they are read again as VelocyPack",
        "documents with large numbers are findings, by key", probes_source.exact_numbers,
    ),
    Capability(
        "target-health", "target", "The health document is shown", "§12.12, §12.17",
        "the journal is kept on two DB-Servers where there are two", "the journal has one copy",
        probes_target.health,
    ),
    Capability(
        "target-metrics", "target", "Metrics of DB-Servers are shown", "§12.17",
        "room on the target is measured before", "room on the target has to be known by you (ignore_metrics)",
        probes_target.metrics,
    ),
    Capability(
        "target-mode", "target", "The server mode is shown", "§12.17",
        "a read-only target is noticed before the start", "a read-only target is noticed by its refusals",
        probes_target.mode,
    ),
    Capability(
        "target-license", "target", "The license is shown", "§12.20",
        "limits of the license are checked before", "limits of the license are noticed by refusals",
        probes_target.license_shown,
    ),
    Capability(
        "target-compressed", "target", "Compressed bodies are understood", "§7.8b",
        "bodies go compressed where that is quicker (compress: auto)", "bodies go as they are",
        probes_target.compressed,
    ),
    Capability(
        "target-hashes", "target", "HASH() of AQL is the same on both sides", "§12.11",
        "verification rounds have the servers hash documents", "verification rounds read and hash whole documents here",
        probes_target.hashes,
    ),
    Capability(
        "target-checksums", "target", "Checksums of collections are the same on both sides", "§12.11",
        "the proof compares checksums", "the proof compares contents as far as time allows, and says so",
        later="found out by every proof, on its smallest collection",
    ),
    Capability(
        "target-revisions", "target", "restore-data keeps revisions", "§12.9",
        "documents are restored with their revisions", "documents are written by bulk with isRestore", tried=True,
    ),
    Capability(
        "target-revisions-bulk", "target", "Bulk writes with isRestore keep revisions", "§7.5",
        "replicated documents keep their revisions",
        "documents differ in their revisions for ever: choose rev_policy: regenerate", tried=True,
    ),
    Capability(
        "target-bulk-errors", "target", "A document that is refused is named by its position", "§12.15",
        "what is refused is known by key at once", "batches are divided until what is refused is known by key",
        tried=True,
    ),
    Capability(
        "target-body-size", "target", f"Bodies of {_BATCH} are taken", "§12.17",
        f"batches of up to {_BATCH}", "batches are halved until they are taken", tried=True,
    ),
    Capability(
        "target-journal-name", "target", "A system collection may be made", "§12.17",
        "the journal is _cutover in _system", "the journal is cutover_journal in _system", tried=True,
    ),
    Capability(
        "target-unique-ids", "target", "Ids can be reserved", "§12.19",
        "ids are reserved beyond the largest migrated key", "ids are used up by documents, if they are not too many",
        tried=True,
    ),
    Capability(
        "target-key-generator", "target", "Generated keys go on above restored ones", "§12.19",
        "new keys cannot meet migrated ones", "ids are reserved or used up before the opening, or it is asked about",
        tried=True,
    ),
    Capability(
        "target-users", "target", "Users can be restored", "§12.17",
        "users keep their passwords (users: copy)", "the start is refused: choose users: recreate or users: skip",
        tried=True,
    ),
)  # fmt: skip
