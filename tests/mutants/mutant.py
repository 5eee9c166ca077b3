# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a deliberate defect is."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

ENGINE = "plugins/module_utils/_engine/"
UNIT = "tests/unit/plugins/module_utils/_engine/"
PAIR = "tests/integration/"


class NotFoundError(Exception):
    """A text to be replaced is not in its file exactly once: the table has to follow the source."""


class Mutant(NamedTuple):
    """A rule of the engine broken on purpose.

    ``where`` names the rule's section and invariant, ``path`` is relative to the repository, ``changes`` are pairs of
    an exact old text (found once) and the new one, ``tests`` are pytest ids that must all fail; of a parametrized test
    one case is enough.
    """

    id: str
    rule: str
    where: str
    path: str
    changes: tuple[tuple[str, str], ...]
    tests: tuple[str, ...]

    def applied(self, text: str) -> str:
        """The source with the defect; raises ``NotFoundError``."""
        for old, new in self.changes:
            if text.count(old) != 1:
                raise NotFoundError(f"{self.path} has {text.count(old)} times, not once: {old.strip().splitlines()[0]}")
            text = text.replace(old, new)
        return text


def mutant(id_: str, rule: str, where: str, module: str, old: str, new: str, *tests: str) -> Mutant:
    """A defect in a module of the engine by one change; tests are given as ``test_file.py::test_name``."""
    return Mutant(id_, rule, where, f"{ENGINE}{module}", ((old, new),), tuple(_full(test) for test in tests))


def mutants_of(where: str, directory: str, test_file: str) -> Callable[[str, str, str, str, str, str], Mutant]:
    """Makes defects outside the engine, in modules of ``directory``, that are caught by tests of one file."""

    def made(id_: str, rule: str, module: str, old: str, new: str, test: str) -> Mutant:
        return Mutant(id_, rule, where, f"{directory}{module}", ((old, new),), (f"{test_file}::{test}",))

    return made


def _full(test: str) -> str:
    return test if "/" in test else f"{UNIT}{test}"
