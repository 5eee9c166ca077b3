# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The error catalogue is complete and without doubles, and errors take their remedy from it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core import catalogue
from ansible_collections.cutover.arangodb.plugins.module_utils._core.catalogue_entry import Entry
from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import (
    ArangoError,
    CutoverError,
    TransportError,
)

PLUGINS = Path(__file__).resolve().parents[5] / "plugins"
CODE = re.compile(r"CUT-[A-Z]+-[0-9]+")


def codes_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    constants = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {value for value in constants if isinstance(value, str) and CODE.fullmatch(value)}


def test_every_code_in_the_program_is_in_the_catalogue() -> None:
    used = {code for path in PLUGINS.rglob("*.py") for code in codes_in(path)}
    assert len(used) > 20
    assert used - set(catalogue.ENTRIES) == set()


def test_every_entry_is_well_formed_and_has_a_remedy() -> None:
    for code, entry in catalogue.ENTRIES.items():
        assert CODE.fullmatch(code)
        assert entry.severity in ("info", "warning", "error"), code
        assert entry.kind in ("transient", "operator", "fatal"), code
        assert entry.title.strip(), code
        assert len(entry.remedy) > 15, code


def test_a_code_that_is_defined_twice_is_refused() -> None:
    entry = Entry("error", "fatal", "t", "r")
    with pytest.raises(ValueError, match="CUT-X-1 is defined twice"):
        catalogue.merge(({"CUT-X-1": entry}, {"CUT-X-1": entry}))


def test_an_error_takes_its_remedy_from_the_catalogue_unless_it_has_its_own() -> None:
    error = CutoverError("CUT-SECRET-2", "the file is empty", details={"path": "p"})
    assert error.remedy == catalogue.ENTRIES["CUT-SECRET-2"].remedy
    assert str(error) == f"the file is empty (CUT-SECRET-2). Remedy: {error.remedy}"
    assert error.as_dict() == {
        "code": "CUT-SECRET-2",
        "message": "the file is empty",
        "remedy": error.remedy,
        "retriable": False,
        "details": {"path": "p"},
    }
    assert CutoverError("CUT-SECRET-2", "m", remedy="do this").remedy == "do this"
    assert str(CutoverError("CUT-SECRET-2", "m", remedy="")) == "m (CUT-SECRET-2)."


def test_an_unknown_code_still_tells_what_to_do() -> None:
    assert "report" in CutoverError("CUT-NOWHERE-1", "m").remedy


def arango(status: int, number: int, genuine: bool = True) -> ArangoError:
    return ArangoError(
        "CUT-ARANGO-1", "m", status=status, error_num=number, method="GET", url="u", kind="fatal", from_arangodb=genuine
    )


@pytest.mark.parametrize(
    ("error", "unknown"),
    [
        (arango(504, 0), True),
        (arango(502, 0, genuine=False), True),
        (arango(503, 0, genuine=False), True),
        (arango(503, 21003), False),
        (arango(503, 30), True),
        (arango(500, 1457), True),
        (arango(409, 1200), False),
        (arango(413, 0, genuine=False), False),
        (TransportError("CUT-HTTP-1", "m", outcome_unknown=False), False),
        (TransportError("CUT-HTTP-4", "m", outcome_unknown=True), True),
    ],
)
def test_when_a_request_may_have_run_in_spite_of_its_error(
    error: ArangoError | TransportError, unknown: bool
) -> None:
    assert error.outcome_unknown is unknown
