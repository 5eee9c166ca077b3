# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The state that a recorded script found, derived from its requests and answers and made by public requests only.

Each rule knows one kind of path; what the answer shows must have been there is created before.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tests.testbed.recorded import Exchange, Script
from tests.testbed.recorded_state_documents import SYSTEM, ensure_collection, missing, prepare_documents
from tests.testbed.recorded_state_graphs import prepare_graph

Rule = Callable[[Script, "re.Match[str]", Exchange], None]
_DUPLICATE = (1207, 1702, 1851, 1925)  # name of a collection, database or view; user; task; graph
_INDEX_ANSWER = ("id", "name", "code", "error", "selectivityEstimate")


def prepare(script: Script) -> None:
    """Make what the exchanges of a script need."""
    seen: set[str] = set()
    for exchange in script.exchanges:
        path = exchange["request"]["path"].removeprefix("/_db/_system")
        plain = path.partition("?")[0]
        first = plain not in seen
        seen.add(plain)
        for pattern, rule in _RULES:
            match = re.fullmatch(pattern, plain)
            if match and (first or pattern.startswith("/_api/cursor")):
                rule(script, match, exchange)
                break
        if _made_anew(exchange):
            script.make("POST", path, script.translate(exchange["request"]["body"]))


def _made_anew(exchange: Exchange) -> bool:
    """Whether a request asked to make what was there already; documents are left to their own rule."""
    request, answer = exchange["request"], exchange["response"]["body"]
    if request["method"] != "POST" or not isinstance(answer, dict):
        return False
    return answer.get("errorNum") in _DUPLICATE or answer.get("isNewlyCreated") is False


def _unknown(exchange: Exchange) -> bool:
    """Whether what the path names was not there."""
    return bool(exchange["response"]["status"] == 404)


def _collection(script: Script, match: re.Match[str], exchange: Exchange) -> None:
    name = match["name"]
    if missing(exchange):
        return
    body = exchange["response"]["body"] if isinstance(exchange["response"]["body"], dict) else {}
    properties: dict[str, Any] = {"isSystem": True} if name.startswith("_") else {}
    for option in ("waitForSync", "numberOfShards", "shardKeys"):
        if option in body:
            properties[option] = body[option]
    if "type" in body:
        properties["type"] = body["type"]
    if isinstance(body.get("keyOptions"), dict):
        properties["keyOptions"] = {"type": body["keyOptions"]["type"]}
    shown = f"c{name}" if name.isdecimal() else name
    identifier = ensure_collection(script, shown, **properties)
    script.remember(body.get("id"), identifier)
    if name.isdecimal():
        script.remember(name, identifier)
        script.remember(str(body.get("name", "")), shown)
    figures = body.get("figures", {}).get("indexes", {})
    documents = body.get("count", body.get("figures", {}).get("engine", {}).get("documents", int(bool(figures))))
    if isinstance(documents, int) and exchange["request"]["method"] == "GET" and documents:
        script.make("POST", f"/_api/document/{shown}", [{"value": number} for number in range(documents)])
    shards = body.get("shards")
    if isinstance(shards, dict | list):
        made = script.make("GET", f"/_api/collection/{shown}/shards")["shards"]
        for recorded, ours in zip(sorted(shards), sorted(made), strict=True):
            script.remember(recorded, ours)


def _listed_collections(script: Script, _match: re.Match[str], exchange: Exchange) -> None:
    if exchange["request"]["method"] != "GET":
        return
    for entry in exchange["response"]["body"]["result"]:
        if not entry["isSystem"]:
            ensure_collection(script, entry["name"], type=entry["type"])


def _index(script: Script, match: re.Match[str], exchange: Exchange) -> None:
    query = re.search(r"collection=(\w+)", exchange["request"]["path"])
    name = match.groupdict().get("name") or (query[1] if query else "")
    ensure_collection(script, name)
    if exchange["request"]["method"] == "POST" or _unknown(exchange):
        return
    identifier = match.groupdict().get("id")
    body = exchange["response"]["body"]
    wanted = body.get("indexes", [])
    if identifier and identifier != "0":
        shown = body if "fields" in body else {"type": "persistent", "fields": ["a"], "unique": True}
        wanted = [{**shown, "id": f"{name}/{identifier}"}]
    for definition in wanted:
        if definition["type"] not in ("primary", "edge"):
            asked = {field: value for field, value in definition.items() if field not in _INDEX_ANSWER}
            made = script.make("POST", f"/_api/index?collection={name}", asked)
            script.remember(definition["id"].rpartition("/")[2], made["id"].rpartition("/")[2])
            script.remember(definition["id"], made["id"])
            script.remember(definition.get("name"), made["name"])


def _user(script: Script, match: re.Match[str], exchange: Exchange) -> None:
    name, database, collection = match["user"], match["database"], match["collection"]
    method, body = exchange["request"]["method"], exchange["response"]["body"]
    if _unknown(exchange):
        return
    shown = {field: body[field] for field in ("active", "extra") if field in body and method == "GET"}
    script.make("POST", "/_api/user", {"user": name, "passwd": "x", **shown})
    if collection and not collection.startswith("_"):
        ensure_collection(script, collection)
    place = f"/_api/user/{name}/database/{database}" + (f"/{collection}" if collection else "")
    if method == "DELETE" and database:
        script.make("PUT", place, {"grant": "rw"})
    if method != "GET" or not isinstance(body.get("result"), str | dict):
        return
    levels = body["result"] if isinstance(body["result"], dict) else {database: body["result"]}
    for granted, level in levels.items():
        value = level.get("permission") if isinstance(level, dict) else level
        if value != "none":
            script.make("PUT", f"/_api/user/{name}/database/{granted}", {"grant": value})
        for entry in level.get("collections", {}) if isinstance(level, dict) else ():
            if not entry.startswith("_") and entry != "*":
                ensure_collection(script, entry)


def _user_config(script: Script, match: re.Match[str], exchange: Exchange) -> None:
    if _unknown(exchange):
        return
    script.target.send("POST", "/_api/user", {"user": match["user"], "passwd": "x"})
    values = exchange["response"]["body"].get("result")
    if exchange["request"]["method"] == "GET" and isinstance(values, dict):
        for name, value in values.items():
            script.make("PUT", f"/_api/user/{match['user']}/config/{name}", value)


def _users(script: Script, _match: re.Match[str], exchange: Exchange) -> None:
    if exchange["request"]["method"] == "GET":
        for entry in exchange["response"]["body"]["result"]:
            if entry["user"] != "root":
                script.make("POST", "/_api/user", {**entry, "passwd": "x"})


def _database(script: Script, match: re.Match[str], exchange: Exchange) -> None:
    if exchange["request"]["method"] == "DELETE" and not _unknown(exchange):
        script.make("POST", "/_api/database", {"name": match["name"]})


def _databases(script: Script, _match: re.Match[str], exchange: Exchange) -> None:
    if exchange["request"]["method"] == "GET":
        for name in exchange["response"]["body"]["result"]:
            if name != "_system":
                script.make("POST", "/_api/database", {"name": name})


def _aql_function(script: Script, match: re.Match[str], exchange: Exchange) -> None:
    code = "function () { return 1; }"
    if exchange["request"]["method"] == "DELETE" and exchange["response"]["status"] < 400:
        name = match["name"] if "group=true" not in exchange["request"]["path"] else f"{match['name']}::one"
        script.make("POST", "/_api/aqlfunction", {"name": name, "code": code})
    for entry in exchange["response"]["body"].get("result", []) if exchange["request"]["method"] == "GET" else ():
        script.make("POST", "/_api/aqlfunction", entry)


def _import(script: Script, _match: re.Match[str], exchange: Exchange) -> None:
    if not missing(exchange):
        text = f"{exchange['request']['body']}{exchange['response']['body']}"
        name = re.search(r"collection=(\w+)", exchange["request"]["path"])
        ensure_collection(script, name[1] if name else "", type=3 if "_from" in text else 2)


def _cursor(script: Script, _match: re.Match[str], exchange: Exchange) -> None:
    body, answer = exchange["request"].get("body"), exchange["response"]["body"]
    if not isinstance(body, dict) or missing(exchange):
        return
    for name in dict.fromkeys(re.findall(r"\b(?:IN|INTO)\s+([A-Za-z_]\w*)", body["query"])):
        ensure_collection(script, name)
        documents = [entry for entry in _results(script) if isinstance(entry, dict)]
        stats = answer.get("extra", {}).get("stats", {}) if isinstance(answer, dict) else {}
        wanted = max(stats.get("scannedFull", 0), stats.get("writesExecuted", 0), len(documents))
        found = [{field: value for field, value in entry.items() if field not in SYSTEM[:3]} for entry in documents]
        found = [_before(body, entry) for entry in found]
        found += [{"filler": number} for number in range(wanted - len(found))]
        message = answer.get("errorMessage", "") if isinstance(answer, dict) else ""
        clash = re.search(r"conflicting key: (\S+)", message)
        found += [{"_key": clash[1]}] if clash else []
        if found:
            script.make("POST", f"/_api/document/{name}", found)


def _before(body: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    """A returned document as it was before the query appended a bound value to its arrays."""
    if "PUSH(" not in body["query"]:
        return document
    added = list((body.get("bindVars") or {}).values())
    return {
        name: value[:-1] if isinstance(value, list) and value and value[-1] in added else value
        for name, value in document.items()
    }


def _results(script: Script) -> list[Any]:
    bodies = [exchange["response"]["body"] for exchange in script.exchanges]
    return [entry for body in bodies if isinstance(body, dict) for entry in body.get("result") or []]


def _view(script: Script, match: re.Match[str], exchange: Exchange) -> None:
    request, answer = exchange["request"], exchange["response"]["body"]
    body = request.get("body") if isinstance(request.get("body"), dict) else {}
    name = match.groupdict().get("name")
    if _unknown(exchange):
        return
    _view_collections(script, body or {}, answer)
    if name is None:
        for entry in answer.get("result", []) if request["method"] == "GET" else ():
            script.remember(entry["id"], script.make("POST", "/_api/view", {**entry, "id": None})["id"])
        return
    shown = name if request["path"].endswith("/rename") else answer.get("name", name)
    view = {"type": "arangosearch", **answer, "name": f"v{shown}" if shown.isdecimal() else shown}
    if "links" in answer:
        changed = (body or {}).get("links", {})
        links = {entry: {} if entry in changed else value for entry, value in answer["links"].items()}
        view["links"] = links | {entry: {} for entry, value in changed.items() if value is None}
    if "indexes" in answer:
        asked = (body or {}).get("indexes", [])
        view["indexes"] = [entry for entry in answer["indexes"] if entry not in asked]
    made = script.make("POST", "/_api/view", view)
    script.remember(answer.get("id"), made["id"])
    if name.isdecimal():
        script.remember(name, made["id"])


def _view_collections(script: Script, body: dict[str, Any], answer: dict[str, Any]) -> None:
    for values in (body, answer):
        for name in values.get("links", {}):
            ensure_collection(script, name)
        for entry in values.get("indexes", []):
            ensure_collection(script, entry["collection"])
            definition = {"type": "inverted", "name": entry["index"], "fields": [entry["index"]]}
            script.target.send("POST", f"/_api/index?collection={entry['collection']}", definition)


def _analyzer(script: Script, match: re.Match[str], exchange: Exchange) -> None:
    answer = exchange["response"]["body"]
    if _unknown(exchange):
        return
    definition = {name: answer.get(name) for name in ("type", "properties", "features")}
    definition["type"] = definition["type"] or "identity"
    script.make("POST", "/_api/analyzer", {**definition, "name": match["name"]})


def _transaction(script: Script, match: re.Match[str], exchange: Exchange) -> None:
    if _unknown(exchange):
        return
    ensure_collection(script, "any")
    made = script.make("POST", "/_api/transaction/begin", {"collections": {"write": "any"}})
    script.remember(match["id"], made["result"]["id"])


def _transactions(script: Script, _match: re.Match[str], exchange: Exchange) -> None:
    ensure_collection(script, "any")
    for entry in exchange["response"]["body"]["transactions"]:
        made = script.make("POST", "/_api/transaction/begin", {"collections": {"read": "any"}})
        script.remember(entry["id"], made["result"]["id"])


def _begin(script: Script, _match: re.Match[str], exchange: Exchange) -> None:
    if not missing(exchange):
        for names in exchange["request"]["body"]["collections"].values():
            for name in [names] if isinstance(names, str) else names:
                ensure_collection(script, name)


def _task(script: Script, match: re.Match[str], exchange: Exchange) -> None:
    if exchange["request"]["method"] == "PUT" or _unknown(exchange):
        return
    answer = exchange["response"]["body"]
    shown = {field: answer[field] for field in ("name", "offset", "period") if field in answer}
    command = re.sub(r"\A\(function \(params\) \{ | \} \)\(params\);\Z", "", answer.get("command", "1"))
    script.make("POST", "/_api/tasks", {"offset": 100, **shown, "id": match["id"], "command": command})


def _tail(script: Script, _match: re.Match[str], exchange: Exchange) -> None:
    """The position is now; the collections whose dropping the answer shows come and go after it."""
    tick = script.make("GET", "/_api/wal/lastTick")["tick"]
    start = re.search(r"from=(\d+)", exchange["request"]["path"])
    script.remember(start[1] if start else "", tick)
    body = exchange["response"]["body"]
    for number, marker in enumerate([body] if isinstance(body, dict) else body or []):
        ensure_collection(script, f"gone{number}")
        script.make("POST", f"/_api/document/gone{number}", {"value": 1})
        if marker["type"] == 2001:
            script.make("DELETE", f"/_api/collection/gone{number}")


def _applier(script: Script, _match: re.Match[str], exchange: Exchange) -> None:
    """An applier whose state or configuration names an endpoint was configured."""
    answer = exchange["response"]["body"]
    if exchange["request"]["path"].endswith("-config") and exchange["request"]["method"] == "PUT":
        return
    if "endpoint" in answer:
        script.make("PUT", "/_api/replication/applier-config", {"endpoint": answer["endpoint"]})


def _support_info(script: Script, _match: re.Match[str], exchange: Exchange) -> None:
    """Servers of a cluster are paired by their short names."""
    recorded = exchange["response"]["body"]["deployment"].get("servers", {})
    ours = script.make("GET", "/_admin/support-info")["deployment"].get("servers", {})
    known = {server["alias"]: name for name, server in ours.items()}
    for name, server in recorded.items():
        script.remember(name, known.get(server["alias"]))


_RULES: tuple[tuple[str, Rule], ...] = (
    (r"/_api/collection", _listed_collections),
    (r"/_api/collection/(?P<name>[^/]+)(/.*)?", _collection),
    (r"/_api/document/(?P<name>[^/]+)(?:/(?P<key>[^/]+))?", prepare_documents),
    (r"/_api/index", _index),
    (r"/_api/index/(?P<name>[^/]+)/(?P<id>[^/]+)", _index),
    (r"/_api/user", _users),
    (r"/_api/user/(?P<user>[^/]+)/config(?:/(?P<name>[^/]+))?", _user_config),
    (r"/_api/user/(?P<user>[^/]+)(?:/database/?(?P<database>[^/]+)?(?:/(?P<collection>[^/]+))?)?", _user),
    (r"/_api/database(/user)?", _databases),
    (r"/_api/aqlfunction(/(?P<name>[^/]+))?", _aql_function),
    (r"/_api/database/(?P<name>(?!user$|current$)[^/]+)", _database),
    (r"/_api/import", _import),
    (r"/_api/cursor(/.*)?", _cursor),
    (r"/_api/view", _view),
    (r"/_api/view/(?P<name>[^/]+)(/properties|/rename)?", _view),
    (r"/_api/analyzer/(?P<name>[^/]+)", _analyzer),
    (r"/_api/transaction", _transactions),
    (r"/_api/transaction/begin", _begin),
    (r"/_api/transaction/(?P<id>\d+)", _transaction),
    (r"/_api/tasks/(?P<id>[^/]+)", _task),
    (r"/_api/wal/tail|/_api/replication/logger-follow", _tail),
    (r"/_api/replication/applier-(?:config|state|stop)", _applier),
    (r"/_admin/support-info", _support_info),
    (r"/_api/gharial(/.*)?", lambda script, _match, exchange: prepare_graph(script, exchange)),
)
