# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``python -m tests.workload CONFIG``."""

from __future__ import annotations

from tests.workload.process import main

main()
