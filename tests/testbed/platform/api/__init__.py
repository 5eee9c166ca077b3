# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The platform's calls by service; importing this registers them."""

from __future__ import annotations

from tests.testbed.platform.api import (
    backup,
    crypto,
    data,
    data_catalogue,
    iam,
    monitoring,
    network,
    replication,
    resourcemanager,
    security,
    versions,
)

__all__ = [
    "backup",
    "crypto",
    "data",
    "data_catalogue",
    "iam",
    "monitoring",
    "network",
    "replication",
    "resourcemanager",
    "security",
    "versions",
]
