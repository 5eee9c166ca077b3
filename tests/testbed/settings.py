# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Settings that a client may change one by one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def change(kept: dict[str, Any], sent: Mapping[str, Any]) -> None:
    """Take the known settings from what was sent; unknown ones and values of another type are passed over."""
    kept.update({name: value for name, value in sent.items() if name in kept and _kind(value) is _kind(kept[name])})


def _kind(value: object) -> type:
    return float if isinstance(value, int) and not isinstance(value, bool) else type(value)
