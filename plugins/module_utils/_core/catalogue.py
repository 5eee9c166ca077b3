# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The error catalogue: every code with severity, kind, title and remedy.

The parts are imported one by one, by name: an archive builder that follows imports must see them.
"""

from __future__ import annotations

from collections.abc import Mapping

from . import (
    catalogue_agent,
    catalogue_control,
    catalogue_controller,
    catalogue_core,
    catalogue_data,
    catalogue_load,
    catalogue_opening,
    catalogue_platform,
    catalogue_precheck,
    catalogue_verify,
)
from .catalogue_entry import Entry

PARTS: tuple[Mapping[str, Entry], ...] = (
    catalogue_core.CODES,
    catalogue_data.CODES,
    catalogue_load.CODES,
    catalogue_control.CODES,
    catalogue_agent.CODES,
    catalogue_opening.CODES,
    catalogue_platform.CODES,
    catalogue_controller.CODES,
    catalogue_precheck.CODES,
    catalogue_verify.CODES,
)
UNKNOWN = Entry(
    "error", "fatal", "An error without an entry in the catalogue",
    "This is an error of this software: please report it with the message.",
)


def merge(parts: tuple[Mapping[str, Entry], ...]) -> dict[str, Entry]:
    """One table out of several; a code that occurs twice raises ``ValueError``."""
    merged: dict[str, Entry] = {}
    for part in parts:
        for code, entry in part.items():
            if code in merged:
                raise ValueError(f"error code {code} is defined twice")
            merged[code] = entry
    return merged


ENTRIES: dict[str, Entry] = merge(PARTS)


def lookup(code: str) -> Entry:
    """The entry of a code; a code that nobody has entered gets a general one."""
    return ENTRIES.get(code, UNKNOWN)
