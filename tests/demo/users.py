# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The users of the demo's source: four with different grants."""

from __future__ import annotations

from tests.workload.schema import UserSpec

__all__ = ["APPLICATION", "READER", "USERS"]

APPLICATION = UserSpec("shop-app", "counter-and-till", (("shop", "", "rw"), ("aviation", "", "ro")))
READER = UserSpec(
    "dashboard", "only-looking", (("aviation", "", "rw"), ("weather", "", "ro")), extra=(("team", "operations"),)
)
USERS = (
    APPLICATION,
    READER,
    UserSpec("auditor", "sees-but-one", (("shop", "", "ro"), ("shop", "accounts", "none"), ("weather", "*", "ro"))),
    UserSpec("former-colleague", "has-left", (("shop", "", "rw"),), active=False),
)
