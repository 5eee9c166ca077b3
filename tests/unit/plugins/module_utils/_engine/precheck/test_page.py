# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The documentation says what the table says."""

from __future__ import annotations

from ansible_collections.cutover.arangodb.plugins.module_utils._engine.precheck.registry import ROWS
from tests.tools.prechecks_page import PAGE, ROOT, page


def test_the_page_is_the_one_generated_from_the_table() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.tools.prechecks_page"


def test_every_check_links_to_its_section() -> None:
    headings = {line[4:] for line in page().splitlines() if line.startswith("### ")}
    for row in ROWS:
        name, _, anchor = row.doc.partition("#")
        assert (ROOT / name).is_file()
        assert anchor in headings
