# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of the collection as the result of an action."""

from __future__ import annotations

from typing import Any

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._module.failure import failure_of, message_of


def failed_result(error: CutoverError) -> dict[str, Any]:
    """The result of a failed action, in the form that the modules have."""
    return {"failed": True, "msg": message_of(error), "failure": failure_of(error)}
