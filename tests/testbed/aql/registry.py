# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Registry of AQL functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from tests.testbed.errors import ArangoError

Function = Callable[..., Any]
F = TypeVar("F", bound=Function)
FUNCTIONS: dict[str, tuple[int, int, Function]] = {}
ANY = 100


def function(names: str, least: int, most: int | None = None) -> Callable[[F], F]:
    """Register a function under names separated by blanks, with the number of its arguments."""

    def register(implementation: F) -> F:
        for name in names.split():
            FUNCTIONS[name] = (least, least if most is None else most, implementation)
        return implementation

    return register


def find(name: str, count: int) -> Function:
    """A function; errorNum 1540 for an unknown one, 1541 for a wrong number of arguments."""
    if name not in FUNCTIONS:
        raise ArangoError(1540, f"AQL: usage of unknown function '{name}()' (while parsing)")
    least, most, implementation = FUNCTIONS[name]
    if not least <= count <= most:
        text = f"invalid number of arguments for function '{name}()', expected number of arguments: minimum: {least}"
        raise ArangoError(1541, f"AQL: {text}, maximum: {most} (while parsing)")
    return implementation
