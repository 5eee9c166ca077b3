# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ArangoDB error numbers, their HTTP status and texts (facts §7.8, recordings), and the exception that carries one."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

# errorNum → (HTTP status, message)
CATALOGUE: dict[int, tuple[int, str]] = {
    2: (500, "system error"),
    4: (500, "internal error"),
    9: (501, HTTPStatus.NOT_IMPLEMENTED.phrase.lower()),
    10: (400, "bad parameter"),
    11: (403, "forbidden"),
    18: (500, "lock timeout"),
    20: (403, "cannot create temporary file"),
    21: (410, "canceled request"),
    28: (500, "locked"),
    30: (503, "shutdown in progress"),
    32: (500, "resource limit exceeded"),
    400: (400, "bad parameter"),
    401: (401, "unauthorized"),
    403: (403, "forbidden"),
    404: (404, "not found"),
    405: (405, "method not supported"),
    412: (412, "precondition failed"),
    413: (413, "request entity too large"),
    429: (429, "too many requests"),
    500: (500, "internal error"),
    501: (501, HTTPStatus.NOT_IMPLEMENTED.phrase.lower()),
    503: (503, "service unavailable"),
    600: (400, "invalid JSON object"),
    1004: (403, "read only"),
    1104: (500, "filesystem full"),
    1200: (409, "conflict"),
    1202: (404, "document not found"),
    1203: (404, "collection or view not found"),
    1204: (400, "parameter 'collection' not found"),
    1205: (400, "illegal document identifier"),
    1207: (409, "duplicate name"),
    1208: (400, "illegal name"),
    1210: (409, "unique constraint violated"),
    1212: (404, "index not found"),
    1216: (400, "document too large"),
    1218: (400, "collection type invalid"),
    1221: (400, "illegal document key"),
    1222: (400, "unexpected document key"),
    1226: (400, "missing document key"),
    1227: (400, "invalid document type"),
    1228: (404, "database not found"),
    1229: (400, "database name invalid"),
    1230: (403, "operation only allowed in system database"),
    1233: (400, "edge attribute missing or invalid"),
    1410: (400, "invalid replication applier configuration"),
    1429: (403, "not enough replicas for the configured write-concern are present"),
    1448: (400, "creating collection failed due to precondition"),
    1450: (400, "too many shards"),
    1457: (500, "timeout in cluster operation"),
    1462: (500, "could not remove database from plan"),
    1464: (500, "no responsible shard found"),
    1466: (400, "must not specify _key for this collection"),
    1468: (400, "not all sharding attributes given"),
    1469: (400, "must not change the value of a shard key attribute"),
    1470: (501, "unsupported operation or parameter for clusters"),
    1471: (403, "this operation is only valid on a coordinator in a cluster"),
    1478: (503, "A cluster backend which was required for the operation could not be reached"),
    1481: (500, "collection/view is out of sync"),
    1485: (400, "must not drop collection while another has a distributeShardsLike attribute pointing to it"),
    1486: (500, "must not have a distributeShardsLike attribute pointing to an unknown collection"),
    1489: (406, "a shard leader refuses to perform a replication operation"),
    1490: (406, "a shard follower refuses to perform an operation"),
    1491: (503, "a (former) shard leader refuses to perform an operation, because it has resigned in the meantime"),
    1495: (503, "leadership challenge is ongoing"),
    1496: (503, "not a leader"),
    1600: (404, "cursor not found"),
    1620: (400, "schema validation failed"),
    1621: (400, "invalid schema validation parameter"),
    1232: (400, "invalid key generator"),
    1500: (410, "query killed"),
    1501: (400, "syntax error"),
    1502: (400, "query is empty"),
    1504: (400, "number out of range"),
    1511: (400, "variable is assigned multiple times"),
    1540: (400, "usage of unknown function"),
    1541: (400, "invalid number of arguments for function"),
    1542: (400, "invalid argument type"),
    1551: (400, "no value specified for declared bind parameter"),
    1552: (400, "bind parameter was not declared in the query"),
    1553: (400, "bind parameter has an invalid value or type"),
    1563: (400, "array expected"),
    1579: (400, "access after data-modification"),
    1591: (404, "query ID not found"),
    1650: (500, "internal transaction error"),
    1651: (400, "nested transactions detected"),
    1652: (400, "unregistered collection used in transaction"),
    1653: (400, "disallowed operation inside transaction"),
    1654: (410, "transaction aborted"),
    1655: (404, "transaction not found"),
    1700: (400, "invalid user name"),
    1701: (400, "invalid password"),
    1702: (409, "duplicate user"),
    1703: (404, "user not found"),
    1852: (404, "task not found"),
    1901: (400, "invalid graph"),
    1920: (409, "multi use of edge collection in edge def"),
    1921: (400, "collection used in more than one edge definition"),
    1922: (400, "collection already used in edge def"),
    1924: (404, "graph not found"),
    1925: (409, "graph already exists"),
    1926: (404, "vertex collection does not exist or is not part of the graph"),
    1927: (400, "collection not a vertex collection"),
    1928: (400, "collection is not in list of orphan collections"),
    1929: (400, "collection already used in edge def"),
    1930: (404, "edge collection not used in graph"),
    1932: (500, "collection _graphs does not exist"),
    1938: (400, "collection already used as orphan"),
    1947: (404, "referenced vertex collection is not part of the graph"),
    1949: (404, "vertex collection is not part of the graph"),
    21003: (503, "queue full"),
    21004: (412, "queue time violated"),
}


class ArangoError(Exception):
    """An error answered to the client; `extra` joins the body (for example `_id`, `_key`, `_rev` of a conflict)."""

    def __init__(
        self,
        error_num: int,
        message: str | None = None,
        *,
        status: int | None = None,
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        default_status, default_message = CATALOGUE.get(error_num, (500, "unknown error"))
        self.error_num = error_num
        self.message = message if message is not None else default_message
        self.status = status if status is not None else default_status
        self.extra = dict(extra or {})
        self.headers = dict(headers or {})
        super().__init__(f"{self.error_num}: {self.message}")

    def body(self) -> dict[str, Any]:
        """The error body of a whole request (facts §7.8)."""
        return {
            "error": True,
            "code": self.status,
            "errorNum": self.error_num,
            "errorMessage": self.message,
            **self.extra,
        }

    def item(self) -> dict[str, Any]:
        """The error object at one position of a bulk answer: it names no key (facts §7.5)."""
        return {"error": True, "errorNum": self.error_num, "errorMessage": self.message}
