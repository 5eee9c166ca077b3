# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The bar, and problems that are told once."""

from __future__ import annotations

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.watching import ProblemsOnce, share_bar


def test_the_bar_bears_what_is_not_known() -> None:
    assert share_bar(None) == share_bar(0) == share_bar(-3) == "[" + "." * 24 + "]"
    assert share_bar(100.0) == share_bar(250) == "[" + "#" * 24 + "]"


def test_a_problem_is_told_once_and_again_elsewhere() -> None:
    first = {"code": "CUT-X-1", "severity": "error", "where": "shop/log", "text": "a document was refused"}
    problems = ProblemsOnce()
    assert problems.new_lines({"problems": [first]}) == ["error: a document was refused (CUT-X-1)"]
    assert problems.new_lines({"problems": [first]}) == []
    assert len(problems.new_lines({"problems": [first, {**first, "where": "shop/other"}]})) == 1
    assert problems.new_lines({}) == []
