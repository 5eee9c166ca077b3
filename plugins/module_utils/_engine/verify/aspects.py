# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Beyond documents: one table of what is verified, with what was found, and what cannot be (design §6)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Optional

# What a text of ``definitions.problems`` speaks about, the first match counts.
_ASPECTS: tuple[tuple[str, str], ...] = (
    ("schemas", r": schema differs"),
    ("computed values", r": computedValues differs"),
    ("indexes", r": index "),
    ("views", r"\Aview "),
    ("analyzers", r"\Aanalyzer "),
    ("databases, collections and their layout", r""),
)
_NOT_VERIFIED: tuple[tuple[str, str], ...] = (
    ("password hashes", "ArangoDB shows them to nobody; that they were restored is seen by the users' documents"),
    ("TTL and vector indexes", "they are built after the opening"),
    ("tasks", "they live in a coordinator's memory and are not migrated"),
    ("key generators' counters", "ArangoDB does not show them"),
)


def table(
    problems: Iterable[str],
    users: Optional[Sequence[tuple[str, str]]],
    graphs: Sequence[str],
    left_out: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> list[dict[str, Any]]:
    """Lines with ``what``, ``verified``, ``equal`` (None where it is not verified), ``differences`` and ``why``.

    ``problems`` are those of the definitions, ``users`` names with texts (None: users are not migrated), ``graphs``
    databases whose graph definitions differ, ``left_out`` names of what is not migrated by kind.
    """
    found: dict[str, list[str]] = {name: [] for name, _pattern in reversed(_ASPECTS)}
    for text in problems:
        name = next(name for name, pattern in _ASPECTS if re.search(pattern, text))
        found[name].append(text)
    found["graphs"] = [f"the graphs of the database {name} differ" for name in graphs]
    if users is not None:
        found["users and grants"] = [f"user {name}: {text}" for name, text in users]
    lines = [_line(name, texts) for name, texts in found.items()]
    missing = list(_NOT_VERIFIED)
    if users is None:
        missing.append(("users and grants", "users are not migrated (users: skip)"))
    missing += [(f"{kind} left out", f"not migrated: {', '.join(names)}") for kind, names in left_out.items() if names]
    lines += [
        {"what": name, "verified": False, "equal": None, "differences": [], "why": why} for name, why in missing
    ]
    return lines


def _line(name: str, texts: list[str]) -> dict[str, Any]:
    return {"what": name, "verified": True, "equal": not texts, "differences": texts, "why": None}
