# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules promise about check mode, diff and repetition."""

from __future__ import annotations


class ModuleDocFragment:
    """Attributes of modules; each module states its own support."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return changed status prediction without modifying target.
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in C(check_mode)), when in diff mode.
  idempotent:
    description: When run twice in a row outside check mode, with the same arguments, the second invocation indicates no change.
"""

    INFO = r"""
options: {}
attributes:
  check_mode:
    support: full
    details:
      - This module only reads.
  diff_mode:
    support: N/A
    details:
      - This module does not change anything.
  idempotent:
    support: full
    details:
      - This module does not change anything.
"""

    ACTIONGROUP_ARANGODB = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/cutover.arangodb.arangodb) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - cutover.arangodb.arangodb
"""

    ACTIONGROUP_PLATFORM = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/cutover.arangodb.platform) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - cutover.arangodb.platform
"""
