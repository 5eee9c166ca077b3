# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Pure readings of what servers answer: versions, metrics, inventories."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Optional

_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")
_SAMPLE = re.compile(r"^([A-Za-z_:][A-Za-z0-9_:]*)(?:\{[^}]*\})?\s+([+-]Inf|NaN|[0-9.eE+-]+)", re.MULTILINE)
# Disk and log of a DB-Server (facts §2.4): what is free and there in all, and log files that are kept for somebody.
FREE = "rocksdb_free_disk_space"
TOTAL = "rocksdb_total_disk_space"
ARCHIVED = "rocksdb_archived_wal_files_size"
# From this release on the Community Edition holds the Enterprise features (facts §10).
COMMUNITY_FULL = (3, 12, 5)


class Version(NamedTuple):
    """A release number; what stands behind the third number does not count."""

    major: int
    minor: int
    patch: int

    @property
    def line(self) -> tuple[int, int]:
        """Major and minor number."""
        return (self.major, self.minor)

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


def version_of(text: str) -> Version:
    """The release number at the head of a version text. Raises ``ValueError``."""
    found = _VERSION.match(text)
    if found is None:
        raise ValueError(f"not a version: {text!r}")
    return Version(int(found.group(1)), int(found.group(2)), int(found.group(3)))


def metrics_of(text: str) -> dict[str, float]:
    """Values of a Prometheus text by name; samples of one name with different labels are added."""
    values: dict[str, float] = {}
    for name, sample in _SAMPLE.findall(text):
        value = float(sample.replace("Inf", "inf"))
        values[name] = values.get(name, 0.0) + value
    return values


def data_size(metrics: Mapping[str, float]) -> Optional[float]:
    """Bytes of live data on a DB-Server, all replicas and indexes; None if no such metric is there (facts §2.4)."""
    names = ("rocksdb_live_sst_files_size", "rocksdb_estimate_live_data_size")
    return max((metrics[name] for name in names if name in metrics), default=None)


class Collection(NamedTuple):
    """One entry of a clusterInventory (facts §3.2)."""

    database: str
    name: str
    parameters: Mapping[str, Any]
    indexes: Sequence[Mapping[str, Any]]
    entry: Mapping[str, Any]

    @property
    def label(self) -> str:
        """``database/collection`` for humans."""
        return f"{self.database}/{self.name}"


def collections_of(inventory: Mapping[str, Mapping[str, Any]]) -> Iterator[Collection]:
    """Every collection of every database, dropped ones left out."""
    for database, document in inventory.items():
        for entry in document.get("collections", []):
            parameters = entry["parameters"]
            if not parameters.get("deleted"):
                yield Collection(database, parameters["name"], parameters, entry.get("indexes", []), entry)


def has_enterprise_features(version: Version, license_name: str) -> bool:
    """Whether smart graphs, satellites and OneShard are there (facts §10)."""
    return license_name == "enterprise" or tuple(version) >= COMMUNITY_FULL
