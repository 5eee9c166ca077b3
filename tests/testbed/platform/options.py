# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How the emulated platform behaves: its delays, its limits, and the readings of what is unconfirmed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.testbed import readings
from tests.testbed.platform.readings import READINGS


@dataclass(frozen=True)
class Options:
    """Durations are seconds; those of work (`…_seconds`) are multiplied by `time_scale`."""

    time_scale: float = 1.0
    token_lifetime: float = 3600.0  # of a token for which nothing shorter was asked
    rate_limit: int = 0  # calls a second over all clients; 0: none
    backup_limit: int = 0  # backups of a deployment; 0: none
    backup_pending_seconds: float = 2.0
    backup_create_seconds: float = 4.0
    backup_upload_seconds: float = 8.0
    restore_seconds: float = 8.0
    resume_seconds: float = 6.0
    restart_seconds: float = 4.0  # of one server, or of all for another CA certificate
    readings: Mapping[int, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Options:
        """Options from a configuration; ValueError that names what is allowed."""
        names = [entry.name for entry in dataclasses.fields(cls)]
        unknown = [name for name in values if name not in names]
        if unknown:
            raise ValueError(f"unknown option {unknown[0]}, expecting one of {', '.join(names)}")
        return cls(**{**values, "readings": readings.parse(dict(values.get("readings", {})), READINGS)})

    def reads(self, number: int, variant: str) -> bool:
        """Whether a variant of a reading was chosen that is not the default."""
        return variant in self.readings.get(number, ())
