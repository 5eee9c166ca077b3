# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a caller may do with databases and collections, and the read-only mode (facts §1.3, §2.3).

The mode is that of the answering server: coordinators enforce it, DB-Servers are asked as superuser and never refuse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.testbed.errors import ArangoError
from tests.testbed.message import Request

if TYPE_CHECKING:
    from tests.testbed.collection import Collection
    from tests.testbed.model import Deployment


def may_read(request: Request, collection: Collection) -> None:
    """errorNum 11 when the caller may not read the collection."""
    if _level(request, collection) == "none":
        raise ArangoError(11)


def may_write(request: Request, collection: Collection) -> None:
    """errorNum 11 without access to the collection, 1004 with RO, and in read-only mode (facts §2.3)."""
    if request.caller.superuser:
        return
    level = _level(request, collection)
    if level == "none":
        raise ArangoError(11)
    if request.server.readonly or level != "rw":
        raise read_only(request.deployment)


def read_only(deployment: Deployment) -> ArangoError:
    """What a write is refused with: by license or by mode, in either reading (facts §12.14, §12.20)."""
    options = deployment.options
    if deployment.license_readonly:
        return ArangoError(11 if options.reads(20, "license-11") else 1004)
    return ArangoError(11 if options.reads(14, "11") and deployment.version_tuple >= (4, 0, 0) else 1004)


def may_define(request: Request, database: str | None = None) -> None:
    """errorNum 11 without RW on the database (of the path unless named), and in read-only mode."""
    caller = request.caller
    if caller.superuser:
        return
    level = request.deployment.authenticator.database_level(caller, database or request.database_name)
    if level != "rw" or request.server.readonly:
        raise ArangoError(11)


def _level(request: Request, collection: Collection) -> str:
    authenticator = request.deployment.authenticator
    return authenticator.collection_level(request.caller, collection.database.name, collection.name)
