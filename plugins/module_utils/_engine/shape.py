# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the target is to have: the chosen part of the source's definitions, with what the operator overrides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .inventory import Inventory
from .layout import SAME_LAYOUT, Layout
from .overrides import AS_IT_IS, ByPattern, Overrides
from .patterns import parse_pattern
from .selection import EVERYTHING, Selection


@dataclass(frozen=True)
class Shape:
    """Selection, overrides and layout of one specification."""

    selection: Selection = EVERYTHING
    overrides: Overrides = AS_IT_IS
    layout: Layout = SAME_LAYOUT

    def apply(self, source: Inventory) -> Inventory:
        """The wanted definitions, of an inventory as it was read; what is left out is in it, marked."""
        return self.layout.apply(self.overrides.apply(self.selection.apply(source)))


def shape_of(specification: Mapping[str, Any]) -> Shape:
    """The shape in a specification as the journal keeps it; older ones have fewer fields."""
    include, exclude = (specification.get(name) or [] for name in ("include", "exclude"))
    names = ("replication_factor", "write_concern", "number_of_shards", "rev_policy")
    factor, concern, shards, policy = (ByPattern.of(specification.get(name) or {}) for name in names)
    return Shape(
        Selection(tuple(map(parse_pattern, include)), tuple(map(parse_pattern, exclude))),
        Overrides(factor, concern),
        Layout(shards, policy),
    )
