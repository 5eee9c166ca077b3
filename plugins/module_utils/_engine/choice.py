# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The source's definitions as the target is to have them; what is left out or cannot be had is a finding (I9)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from .._core.arango import Coordinators
from .._core.catalogue import lookup
from .._core.errors import ArangoError
from .._core.retry import GONE
from . import inventory as inv
from .aql import read_all
from .findings import Finding, Findings
from .inventory import Front, Inventory
from .layout import Denied
from .parallel import gather
from .selection import Selection, Torn
from .spec import Spec

GRAPHS = "_graphs"
_NAMED = 20


def read_graphs(front: Front, selection: Selection, source: Inventory) -> dict[str, list[Any]]:
    """Graph documents of the databases that are divided, by database."""
    names = [name for name, item in source.items() if GRAPHS in item.collections and selection.divides(item)]
    return gather({name: partial(_graphs, front, name) for name in names}, width=4)


def _graphs(front: Front, database: str) -> list[Any]:
    try:
        return list(read_all(front, database, GRAPHS))
    except ArangoError as error:
        # The database, or its ``_graphs``, was dropped meanwhile.
        if error.error_num in GONE:
            return []
        raise


class Choice:
    """Reads the source for the supervisor, which alone calls it."""

    def __init__(self, source: Coordinators, spec: Spec, findings: Findings) -> None:
        self._source = source
        self._shape = spec.shape
        self._selection = spec.shape.selection
        self._accepted = spec.accepted
        self._findings = findings
        self._told: Any = None
        self._denied: list[Denied] = []
        self.left_out: Mapping[str, list[str]] = {}

    def read(self) -> Inventory:
        """Every database as it is now; see ``select``."""
        return self.select(inv.read(self._source))

    def select(self, source: Inventory) -> Inventory:
        """What the target is to have of these definitions; what is torn apart without being accepted is a finding."""
        if not self._selection.is_everything:
            self._look(source)
        if not self._shape.layout.is_same:
            self._look_at_layout(self._selection.apply(source))
        return self._shape.apply(source)

    def _look_at_layout(self, chosen: Inventory) -> None:
        denied = self._shape.layout.denied(chosen)
        if denied != self._denied:
            self._findings.resolve("CUT-SELECT-3")
            for item in denied:
                self._report("CUT-SELECT-3", "error", item.where, f"{item.option}: {item.why}")
            self._denied = denied

    def _look(self, source: Inventory) -> None:
        torn = self._selection.torn(source, read_graphs(self._source, self._selection, source))
        self.left_out = self._selection.left_out(source)
        if self._told != (torn, self.left_out):
            self._tell(torn)
            self._told = (torn, self.left_out)

    def _tell(self, torn: list[Torn]) -> None:
        for code in ("CUT-SELECT-1", "CUT-SELECT-2"):
            self._findings.resolve(code)
        for item in torn:
            accepted = item.accepted_as in self._accepted
            text = f"{item.text}, which is left out" + (f"; accepted as {item.accepted_as}" if accepted else "")
            self._report("CUT-SELECT-2", "info" if accepted else "error", str(item), text)
        for kind, names in self.left_out.items():
            if names:
                more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
                text = f"{len(names)} {kind} left out: {', '.join(names[:_NAMED])}{more}"
                self._report("CUT-SELECT-1", "info", kind, text)

    def _report(self, code: str, severity: str, where: str, text: str) -> None:
        self._findings.report(Finding(code, severity, where, text, lookup(code).remedy))
