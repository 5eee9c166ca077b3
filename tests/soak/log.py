# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a run says about itself: lines with seconds since its start, in its own file."""

from __future__ import annotations

import time

__all__ = ["IMPOSSIBLE", "say"]

IMPOSSIBLE = "not possible here"

_BEGUN = time.monotonic()


def say(text: str) -> None:
    """One line."""
    print(f"{time.monotonic() - _BEGUN:7.2f} {text}", flush=True)
