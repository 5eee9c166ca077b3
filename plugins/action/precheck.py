# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module `precheck` and applies its option `query` on the controller."""

from __future__ import annotations

from ansible_collections.cutover.arangodb.plugins.plugin_utils._query import QueryAction


class ActionModule(QueryAction):
    """The action of `cutover.arangodb.precheck`."""
