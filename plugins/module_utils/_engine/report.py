# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The report of a cutover attempt: what was moved, how long each step took, what was proved how (design §5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional

from .attempt import Attempt, steps_document
from .times import stamp

if TYPE_CHECKING:
    from .migration import Migration

SCHEMA = 1
NOT_VERIFIED = ("password hashes (ArangoDB does not show them to its users)", "tasks")


def build(migration: Migration, attempt: Attempt) -> dict[str, Any]:
    """The report as JSON values, without secrets."""
    world, running = migration.world, migration.running
    progress = running.plane.progress() if running else None
    return {
        "schema": SCHEMA,
        "at": stamp(migration.clock.wall()),
        "name": migration.spec.name,
        "config_digest": migration.spec.config_digest,
        "specification": migration.spec.public(),
        "result": attempt.result,
        "reason": attempt.reason,
        "by": attempt.by,
        "attempt": attempt.document(),
        "steps": steps_document(attempt),
        "max_downtime": attempt.max_downtime,
        "fenced_seconds": attempt.fenced_seconds,
        "source": {
            "version": world.source.version if world else None,
            "cluster_id": world.source.cluster_id if world else None,
            "former_modes": attempt.former_modes,
            "positions": {server: str(tick) for server, tick in sorted(attempt.positions.items())},
            "writers_cancelled": attempt.writers_cancelled,
        },
        "target": {"version": world.target_version_text if world else None},
        "moved": {
            "databases": sum(item.selected for item in running.inventory.values()) if running else None,
            "collections": len(running.subjects()) if running else None,
            "documents_copied": progress.documents_copied if progress else None,
            "bytes_copied": progress.bytes_copied if progress else None,
            "operations_applied": progress.operations_applied if progress else None,
            "compression": running.plane.packing.document() if running else None,
        },
        "left_out": _left_out(migration),
        "proof": attempt.proof,
        "keys": attempt.keys,
        "warm_up": attempt.warm_up,
        "verification": running.verifier.report() if running else None,
        "not_verified": list(NOT_VERIFIED),
        "accepted": migration.spec.accepted,
        "accepted_findings": [item for item in migration.findings.all() if item["accepted"] is not None],
        "findings": migration.findings.all(),
        "late_indexes": None,
    }


def _left_out(migration: Migration) -> Optional[dict[str, list[str]]]:
    """What include and exclude leave out, by kind; None when they leave nothing out."""
    running = migration.running
    if running is None or migration.spec.selection.is_everything:
        return None
    return {**running.choice.left_out, "grants_of_users": running.world.users.narrowed}
