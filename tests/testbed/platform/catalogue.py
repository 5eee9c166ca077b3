# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the platform offers: regions, models, node sizes, disks, versions, quotas (platform facts §3.5 to §9)."""

from __future__ import annotations

from typing import Any

REGIONS: dict[str, dict[str, Any]] = {
    "gcp-us-west2": {"id": "gcp-us-west2", "provider_id": "gcp", "location": "Los Angeles, USA", "available": True},
    "aws-eu-central-1": {"id": "aws-eu-central-1", "provider_id": "aws", "location": "Frankfurt", "available": True},
    "aks-westeurope": {"id": "aks-westeurope", "provider_id": "aks", "location": "Netherlands", "low_stock": True},
}
_ALL_FEATURES = {"private_endpoints": True, "metrics_endpoint": True, "backup_uploads": True}
MODELS: dict[str, dict[str, Any]] = {
    "oneshard": {"id": "oneshard", "name": "OneShard", "features": _ALL_FEATURES},
    "sharded": {"id": "sharded", "name": "Sharded", "features": _ALL_FEATURES},
    "flexible": {"id": "flexible", "name": "Flexible", "features": _ALL_FEATURES},
    "developer": {"id": "developer", "name": "Single Server", "features": {"metrics_endpoint": True}},
    "free": {"id": "free", "name": "Free", "features": {"ml_free_trial": True}, "deployment_ttl": 14 * 86_400},
}
SINGLE_SERVER = ("developer", "free")
_DISK_PER_MEMORY = 10  # an A8 has a disk of 80 GiB, an A16 one of 160 GiB (facts §9)
NODE_SIZES: dict[str, dict[str, Any]] = {
    f"c4-a{memory}": {
        "id": f"c4-a{memory}",
        "name": f"A{memory}",
        "memory_size": memory,
        "min_disk_size": memory * _DISK_PER_MEMORY,
        "max_disk_size": memory * _DISK_PER_MEMORY,
        "cpu_size": "standard",
        "disk_sizes": [memory * _DISK_PER_MEMORY],
    }
    for memory in (8, 16, 32, 64, 128)
}
NODE_SIZES["c4-a4"] = {
    "id": "c4-a4",
    "name": "A4",
    "memory_size": 4,
    "min_disk_size": 10,
    "max_disk_size": 40,
    "cpu_size": "standard",
}
PERFORMANCES: dict[str, dict[str, Any]] = {
    "dp30": {"id": "dp30", "name": "Default", "description": "3000 IOPS", "is_default": True},
    "dp60": {"id": "dp60", "name": "Fast", "description": "6000 IOPS"},
}
_NOTES = "https://github.com/arangodb/arangodb/releases/tag/v"
_OLD = {"is_end_of_life": True, "replace_by": {"version": "3.11.14", "reason": "EOL"}}
_NUMBERS = ("3.10.14", "3.11.9", "3.11.14", "3.12.5", "3.12.10")
VERSIONS: dict[str, dict[str, Any]] = {
    number: {"version": number, "release_notes_url": f"{_NOTES}{number}", **(_OLD if number == "3.10.14" else {})}
    for number in _NUMBERS
}
DEFAULT_VERSION = "3.12.10"
QUOTAS = {
    "data.deployments-per-project": 5,
    "data.deployment-coordinators": 0,
    "data.deployment-coordinator-memory": 0,
    "data.deployment-dbservers": 12,
    "data.deployment-dbserver-memory": 64,
    "data.deployment-dbserver-disk": 4096,
    "data.total-deployments-memory-per-project": 0,
    "data.total-deployments-disk-per-project": 0,
    "backup.total-backup-policy-per-deployment": 10,
    "data.free-deployments-per-organization": 1,
}


def numbers(version: str) -> tuple[int, ...]:
    """`3.12.10` → (3, 12, 10); parts that are no numbers are 0."""
    return tuple(int(part) if part.isdecimal() and part.isascii() else 0 for part in version.split("."))


def safe_upgrades(current: str) -> list[str]:
    """Versions to which one may go from another: later patches, and the next minor version."""
    at = numbers(current)
    return [
        name for name in VERSIONS if numbers(name) >= at and numbers(name)[:2] <= (*at[:1], at[1] + 1 if at[1:] else 0)
    ]
