# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How much of the copy is left, and how long it takes at the present rate."""

from __future__ import annotations

from typing import Optional

from .dataplane_types import Progress

__all__ = ["bytes_in_all", "seconds_left"]


def bytes_in_all(progress: Optional[Progress]) -> Optional[int]:
    """Bytes of the whole copy, if the documents not yet copied are as large as those that were."""
    if progress is None or not progress.documents_copied or not progress.documents_total:
        return None
    share = max(1.0, progress.documents_total / progress.documents_copied)
    return round(progress.bytes_copied * share)


def seconds_left(progress: Optional[Progress]) -> Optional[float]:
    """Seconds that the rest of the copy takes; None while nothing is copied or nothing can be told."""
    total = bytes_in_all(progress)
    if progress is None or total is None or not progress.bytes_per_second:
        return None
    return max(0.0, total - progress.bytes_copied) / progress.bytes_per_second
