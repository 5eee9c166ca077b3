# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which build this is: written into the archive by its builder, absent when run from a checkout."""
from __future__ import annotations

import json
import pkgutil
from typing import Any

UNKNOWN = {"version": "development", "source_sha256": None}


def build_info() -> dict[str, Any]:
    """`version` of the collection and `source_sha256` over all packed sources."""
    package = (__package__ or "").rpartition(".")[0]
    try:
        raw = pkgutil.get_data(package, "build.json")
    except (OSError, ImportError, ValueError):
        raw = None
    return json.loads(raw) if raw else dict(UNKNOWN)
