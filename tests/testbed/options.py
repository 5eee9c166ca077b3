# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How an emulated deployment behaves: its version, its delays, and the readings of what is unconfirmed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.testbed import readings

RANGE_DELETE_THRESHOLD = 32768  # facts §5.5: truncate markers only from this many documents of a shard on


@dataclass(frozen=True)
class Options:
    """Durations are seconds before `time_scale` is applied.

    `readings` chooses between the readings of facts §12 by its number; `nasty` False gives the kind reading of what the
    facts leave open (a clash of revisions keeps both documents, and so on).
    """

    host: str = "127.0.0.1"  # the address that every server listens on, in the test's own network
    mode_delay: float = 1.0
    mode_put_delay: float = 2.0
    late_delay: float = 1.5
    time_scale: float = 1.0
    default_replication_factor: int = 0  # 0: by version (facts §10)
    failover_after: float = 0.0  # seconds after which the followers of a killed server lead; 0: never
    harden: bool = False
    nasty: bool = True
    checksum_seed: int = 0
    truncate_threshold: int = RANGE_DELETE_THRESHOLD
    max_key_batch: int = 1_000_000
    failed_write_concern_status_code: int = 403  # or 503: of errorNum 1429, from 3.11 on (facts §7.8)
    api_jwt_policy: str = "jwt-compat"  # who may use /_admin/cluster: jwt-compat, jwt-write, jwt-all (facts §1.3)
    extended_names: bool = False  # `--database.extended-names`; from 3.12 on always (facts §10)
    options_api: str = "jwt"  # who may see /_admin/options: disabled, jwt, admin, public (facts §1.3)
    readings: Mapping[int, frozenset[str]] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Options:
        """Options from a configuration file; unknown names are kept in `extra` for the modules that know them.

        ValueError for an unknown reading.
        """
        names = {entry.name for entry in dataclasses.fields(cls)} - {"extra", "readings"}
        known = {name: value for name, value in values.items() if name in names}
        chosen = readings.parse(dict(values.get("readings", {})))
        extra = {name: value for name, value in values.items() if name not in names and name != "readings"}
        return cls(**known, readings=chosen, extra=extra)

    def reads(self, number: int, variant: str) -> bool:
        """Whether a variant of a reading was chosen that is not the default."""
        return variant in self.readings.get(number, ())


def parse_version(text: str) -> tuple[int, int, int]:
    """`3.11.14` → (3, 11, 14); missing parts are 0."""
    parts = [int(part) for part in text.split("-")[0].split(".")]
    major, minor, patch = (*parts, 0, 0)[:3]
    return major, minor, patch
