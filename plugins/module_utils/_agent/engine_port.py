# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the agent needs of an engine: the seam between daemon and migration."""
from __future__ import annotations

from typing import Any, Mapping, Protocol


class MigrationEngine(Protocol):
    """One migration at a time. Booleans say whether something changed; errors are CutoverError; `by` is who asks."""

    def recover(self) -> None:
        """Resume what the state directory knows."""

    def start(self, request: Mapping[str, object]) -> bool:
        """Begin, or take over new credentials for the same specification (False)."""

    def stop(self, options: Mapping[str, object], by: str = "") -> bool:
        """Begin the cutover."""

    def rehearse(self, options: Mapping[str, object], by: str = "") -> bool:
        """Begin a rehearsal of the cutover."""

    def revoke(self, options: Mapping[str, object], by: str = "") -> bool:
        """Begin to revoke the opening of the migration with this `name`."""

    def verification(self, options: Mapping[str, object]) -> dict[str, Any]:
        """Compare source and target; takes long."""

    def changes(self, options: Mapping[str, object]) -> dict[str, Any]:
        """What was written on the target since its opening; takes as long as a scan of it."""

    def release(self, options: Mapping[str, object]) -> bool:
        """Let a cutover that holds its opening go on, or take the way back."""

    def abort(self, options: Mapping[str, object]) -> bool:
        """End without opening the target."""

    def pause(self, options: Mapping[str, object]) -> bool:
        """Suspend replication."""

    def resume(self, options: Mapping[str, object]) -> bool:
        """Go on after a pause."""

    def limits(self, options: Mapping[str, object]) -> bool:
        """Change limits while running."""

    def status(self) -> dict[str, Any]:
        """The status document of design §9, from the last snapshot."""

    def shards(self, options: Mapping[str, object]) -> dict[str, Any]:
        """`shards` (at most `limit` from `offset`, of `state` and `database` where given) and `total`."""

    def findings(self) -> list[dict[str, Any]]:
        """All findings."""

    def report(self) -> dict[str, Any] | None:
        """The report of the last cutover."""

    def rescue_ticket(self) -> dict[str, Any]:
        """`token`, `expires_at` and `coordinators` for a rescue; secret."""

    def server_mode(self) -> dict[str, Any]:
        """`mode` and, by server, `servers` of the source."""

    def set_server_mode(self, mode: str) -> bool:
        """Set the source's mode and wait until every server shows it."""

    def close(self, timeout: float) -> None:
        """Finish the batch, write a checkpoint, end all threads within `timeout` seconds."""
