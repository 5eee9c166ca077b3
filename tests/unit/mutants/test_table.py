# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The table of deliberate defects follows the sources and the tests."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.mutants.mutant import Mutant
from tests.mutants.mutants import ALL

ROOT = Path(__file__).resolve().parent.parent.parent.parent


def test_ids_tell_mutants_apart() -> None:
    assert len(ALL) >= 30
    assert len({mutant.id for mutant in ALL}) == len(ALL)


@pytest.mark.parametrize("mutant", ALL, ids=[mutant.id for mutant in ALL])
def test_each_defect_has_its_place_and_its_tests(mutant: Mutant) -> None:
    """``make mutants`` runs them; here only the texts are looked for."""
    source = (ROOT / mutant.path).read_text(encoding="utf-8")
    compile(mutant.applied(source), mutant.path, "exec")
    assert mutant.tests
    for test in mutant.tests:
        path, name = test.split("::")
        function = name.partition("[")[0]
        assert re.search(rf"^def {function}\(", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE), test
