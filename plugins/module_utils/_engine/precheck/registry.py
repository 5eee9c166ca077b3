# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The table of all prechecks. The groups are imported one by one, by name: archive builders follow imports."""

from __future__ import annotations

from . import (
    rows_agent,
    rows_capacity,
    rows_features,
    rows_input,
    rows_platform,
    rows_selection,
    rows_source,
    rows_target,
    rows_trial,
)
from .outcome import Row

ROWS: tuple[Row, ...] = (
    *rows_input.ROWS,
    *rows_source.ROWS,
    *rows_target.ROWS,
    *rows_trial.ROWS,
    *rows_capacity.ROWS,
    *rows_features.ROWS,
    *rows_selection.ROWS,
    *rows_agent.ROWS,
    *rows_platform.ROWS,
)
