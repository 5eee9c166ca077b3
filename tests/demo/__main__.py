# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""``python -m tests.demo``."""

from __future__ import annotations

import sys

from tests.demo.run import main

if __name__ == "__main__":
    sys.exit(main())
