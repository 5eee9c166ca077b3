# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Requests to the platform, and the call that a request is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import parse_qsl

from tests.testbed.message import Incoming
from tests.testbed.platform.errors import Code, PlatformError, invalid
from tests.testbed.platform.keys import Key
from tests.testbed.platform.schema import Value

if TYPE_CHECKING:
    from tests.testbed.platform.world import World

FORM = "application/x-www-form-urlencoded"
DEFAULT_PAGE_SIZE = 50
_LATE = 1.5  # seconds after which a request whose answer was lost is carried out
T = TypeVar("T")


class Request(Incoming):
    """One request; `pairs` are the fields of its query."""

    __slots__ = ()

    @property
    def late_delay(self) -> float:
        """See Incoming."""
        return _LATE

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The fields of the query, repeated ones repeated."""
        return _pairs(self.target.partition("?")[2])

    @property
    def form(self) -> list[tuple[str, str]]:
        """The fields of a form body, none when the body is something else."""
        if self.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
            return []
        return _pairs(self.body.decode("utf-8", "replace"))


def _pairs(text: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text, keep_blank_values=True)
    except ValueError as error:
        raise invalid(f"{error}") from error


class Call:
    """Who calls, and what may be asked of the platform for him."""

    def __init__(self, world: World, request: Request, key: Key | None) -> None:
        self.world = world
        self.request = request
        self._key = key

    @property
    def key(self) -> Key:
        """The key of the caller; only for calls that need a login."""
        if self._key is None:
            raise PlatformError(Code.UNAUTHENTICATED, "Unauthenticated")
        return self._key

    @property
    def agent(self) -> str:
        """The user agent as events show it (platform facts §1.3)."""
        return self.request.headers.get("grpc-metadata-x-arango-graph-user-agent", "")

    def may(self, permission: str, url: str) -> bool:
        """Whether the caller has a permission; a key of one organisation has none elsewhere."""
        only = self.key.fields.get("organization_id")
        if only and url.split("/")[2:3] != [only]:
            return False
        return self.key.may(permission, url)

    def require(self, permission: str, url: str) -> None:
        """PermissionDenied unless the caller has the permission on the resource."""
        if not self.may(permission, url):
            raise PlatformError(Code.PERMISSION_DENIED, f"Permission {permission} denied on {url}")


def page(items: list[T], options: Value) -> list[T]:
    """One page of a list (platform facts §1.6): 50 items unless told otherwise, the first page is 0."""
    size, number = int(options.get("page_size", 0)) or DEFAULT_PAGE_SIZE, int(options.get("page", 0))
    if size < 0 or number < 0:
        raise invalid("page_size and page must not be negative")
    return items[number * size : (number + 1) * size]


def found(items: dict[str, T], identifier: str, what: str, exists: Callable[[T], bool] = lambda _item: True) -> T:
    """An object by its id; NotFound when there is none."""
    item = items.get(identifier)
    if item is None or not exists(item):
        raise PlatformError(Code.NOT_FOUND, f"{what} '{identifier}' not found")
    return item
