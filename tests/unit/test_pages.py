# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The generated pages of docs/ are those of the present code."""

from __future__ import annotations

from types import ModuleType

import pytest

from tests.tools import errors_page, reference_page


@pytest.mark.parametrize("tool", [errors_page, reference_page], ids=["errors", "reference"])
def test_the_page_is_that_of_the_code(tool: ModuleType) -> None:
    assert tool.PAGE.read_text(encoding="utf-8") == tool.page(), "run: make docs"


def test_no_markup_of_ansible_is_left_in_the_reference() -> None:
    assert reference_page.MARKUP.search(reference_page.page()) is None
