# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What differs between an object of a controller and its description."""
from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .kinds import ENCRYPTED, TEXTS

HIDDEN = "$encrypted$"  # what the API shows in the place of a secret


def differing(current: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The wanted fields that the object does not have; a secret that is there counts as equal."""
    return {name: value for name, value in wanted.items() if not _equal(name, current.get(name), value)}


def _equal(name: str, current: Any, wanted: Any) -> bool:
    if name in TEXTS:
        return bool(_read(current) == wanted)
    if name in ENCRYPTED and isinstance(current, Mapping):
        return all(key in current and current[key] in (HIDDEN, value) for key, value in wanted.items())
    return bool(current == wanted)


def _read(text: Any) -> Any:
    """A text of JSON as its value; any other text as it is."""
    try:
        return json.loads(text or "{}")
    except (TypeError, ValueError):
        return text


def body_of(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields as the API takes them."""
    return {name: json.dumps(value, sort_keys=True) if name in TEXTS else value for name, value in fields.items()}


def shown(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields as a diff may show them: of what can be a secret only the names."""
    return {
        name: sorted(value) if name in ENCRYPTED and isinstance(value, Mapping) else value
        for name, value in fields.items()
    }
