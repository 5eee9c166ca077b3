# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Defects in choosing what is migrated, and in which form (design §4.3, §4.7)."""

from __future__ import annotations

from tests.mutants.mutant import Mutant, mutant

CHOOSING: tuple[Mutant, ...] = (
    mutant(
        "choice-copies-what-is-left-out",
        "what is left out is neither made nor copied",
        "design §4.7, I9",
        "ordering.py",
        " or not collection.selected:\n",
        ":\n",
        "test_selection.py::test_what_is_left_out_is_neither_made_nor_copied_nor_compared",
    ),
    mutant(
        "choice-makes-left-out-databases",
        "a database that is left out is not made",
        "design §4.7",
        "schema.py",
        "for name, item in source.items() if item.selected}",
        "for name, item in source.items()}",
        "test_selection.py::test_a_database_that_is_left_out",
    ),
    mutant(
        "choice-overlooks-torn-graphs",
        "a graph whose collections are left out is told of",
        "design §4.7, I9",
        "selection.py",
        "for graph in graphs.get(database.name, ()):",
        "for graph in ():",
        "test_selection.py::test_what_is_torn_apart",
    ),
    mutant(
        "choice-grants-what-is-left-out",
        "users get no grants on what is left out",
        "design §4.7",
        "selection.py",
        '            if name in ("*", SYSTEM) or self.database(name)\n',
        "",
        "test_selection.py::test_grants_on_what_is_left_out_are_not_given",
    ),
    mutant(
        "copies-of-the-vaguest-pattern",
        "the most exact pattern counts",
        "design §4.7",
        "overrides.py",
        "(pair[0].is_whole, -len(str(pair[0])), str(pair[0]))",
        "(not pair[0].is_whole, len(str(pair[0])), str(pair[0]))",
        "test_overrides.py::test_the_most_exact_pattern_counts",
    ),
    mutant(
        "copies-fewer-than-the-write-concern",
        "a write concern is never more than the copies",
        "design §4.7",
        "overrides.py",
        "min(wanted, copies)",
        "wanted",
        "test_overrides.py::test_copies_of_a_collection",
    ),
    mutant(
        "compression-takes-the-slower-way",
        "compression is chosen where it is quicker",
        "design §4.3",
        "packing.py",
        "compressed.cost < plain.cost",
        "compressed.cost > plain.cost",
        "test_packing.py::test_auto_takes_the_quicker_way",
    ),
    mutant(
        "compression-is-not-told",
        "the target is told that a body is compressed",
        "design §4.3",
        "target.py",
        ", **packed.headers}",
        "}",
        "test_packing.py::test_a_write_tells_what_it_holds",
    ),
)
