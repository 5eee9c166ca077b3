# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The documents that a recorded script found, derived from its requests and answers."""

from __future__ import annotations

import re
from typing import Any

from tests.testbed.recorded import Exchange, Script

SYSTEM = ("_id", "_rev", "_oldRev", "_key")


def missing(exchange: Exchange) -> bool:
    """Whether there was no such collection, view or database."""
    body = exchange["response"]["body"]
    return isinstance(body, dict) and body.get("errorNum") in (1203, 1228)


def ensure_collection(script: Script, name: str, **properties: Any) -> str:
    """A collection; answers its id."""
    answer = script.target.send("POST", "/_api/collection", {"name": name, **properties})
    if answer.status >= 400:
        answer = script.target.send("GET", f"/_api/collection/{name}")
    return str(answer.body["id"])


def prepare_documents(script: Script, match: re.Match[str], exchange: Exchange) -> None:
    """Make what a request on `/_api/document` works on."""
    if missing(exchange):
        return
    name, key = match["name"], match["key"]
    request, status = exchange["request"], exchange["response"]["status"]
    waited = status == (200 if request["method"] == "DELETE" else 201) and "waitForSync" not in request["path"]
    ensure_collection(script, name, waitForSync=waited and request["method"] != "GET")
    if key is None:
        _many(script, name, exchange)
        return
    if exchange["response"]["status"] == 404 or _posted_before(script, exchange, key):
        return
    content = _content_before(script, exchange["request"]["path"])
    answer = script.make("POST", f"/_api/document/{name}", {**content, "_key": key})
    _remember_revision(script, exchange, answer["_rev"])


def _content_before(script: Script, path: str) -> dict[str, Any]:
    """What a document held: what the next reading shows, without what was written in between."""
    written: set[str] = set()
    plain = path.partition("?")[0]
    for exchange in script.exchanges:
        if exchange["request"]["path"].partition("?")[0] != plain:
            continue
        sent, answer = exchange["request"].get("body"), exchange["response"]["body"]
        if isinstance(answer, dict) and isinstance(answer.get("old"), dict):
            return _content(answer["old"], written)
        if exchange["request"]["method"] == "GET" and isinstance(answer, dict):
            return _content(answer, written)
        if isinstance(sent, dict):
            written |= set(sent)
        if exchange["request"]["method"] == "PATCH" and isinstance(answer, dict) and "new" in answer:
            return _content(answer["new"], written)
    return {}


def _content(document: dict[str, Any], written: set[str]) -> dict[str, Any]:
    """A document's own attributes, without those in `written`."""
    return {name: value for name, value in document.items() if name not in SYSTEM and name not in written}


def _posted_before(script: Script, exchange: Exchange, key: object) -> bool:
    """Whether an earlier request of the script made the document."""
    for earlier in script.exchanges:
        if earlier is exchange:
            return False
        answer = earlier["response"]["body"]
        answers = answer if isinstance(answer, list) else [answer]
        if earlier["request"]["method"] == "POST" and key in [
            made.get("_key") for made in answers if isinstance(made, dict)
        ]:
            return True
    return False


def _remember_revision(script: Script, exchange: Exchange, revision: str) -> None:
    response = exchange["response"]
    if exchange["request"]["method"] in ("GET", "HEAD"):
        etag = {name.lower(): value for name, value in response["headers"].items()}.get("etag", "")
        script.remember(etag.strip('"'), revision)
    elif isinstance(response["body"], dict):
        script.remember(response["body"].get("_oldRev") or response["body"].get("_rev"), revision)


def _many(script: Script, name: str, exchange: Exchange) -> None:
    """Documents that an array of selectors found, or whose revisions it named wrongly."""
    request, answers = exchange["request"], exchange["response"]["body"]
    if request["method"] == "POST":
        _replaced(script, name, exchange)
        return
    if request["method"] not in ("PUT", "PATCH", "DELETE") or not isinstance(answers, list):
        return
    for selector, answer in zip(request["body"], answers, strict=True):
        key = selector.get("_key") if isinstance(selector, dict) else selector.rpartition("/")[2]
        if answer.get("errorNum", 1200) != 1200 or _posted_before(script, exchange, key):
            continue
        content = answer["old"] if isinstance(answer.get("old"), dict) else answer
        content = {} if "errorNum" in answer else _content(content, {"error", "old", "new"})
        made = script.make("POST", f"/_api/document/{name}", {**content, "_key": key})
        script.remember(answer.get("_oldRev") or answer.get("_rev"), made["_rev"])


def _replaced(script: Script, name: str, exchange: Exchange) -> None:
    """Documents that an insertion found: it replaced, changed or left them, or was refused."""
    answer, sent = exchange["response"]["body"], exchange["request"]["body"]
    pairs = zip(sent, answer, strict=True) if isinstance(answer, list) else [(sent, answer)]
    for document, made in pairs:
        key = document.get("_key") if isinstance(document, dict) else None
        if "_oldRev" not in made or _posted_before(script, exchange, key):
            continue
        content = _content(made.get("old") or {}, set())
        before = script.make("POST", f"/_api/document/{name}", {**content, "_key": key})
        script.remember(made["_oldRev"], before["_rev"])
