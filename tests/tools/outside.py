# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The environment of programs as a user starts them: nothing of this checkout can be imported there."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["outside"]


def outside() -> dict[str, str]:
    """This process's environment without its import path; archives are not compiled anew by each program."""
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parent / "zipcode")}
