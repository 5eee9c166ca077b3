# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Users as documents of `_system/_users`, with a cache in front of them (facts §8)."""

from __future__ import annotations

import copy
import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

from tests.testbed.documents import WriteOptions, Writer
from tests.testbed.errors import ArangoError
from tests.testbed.rawjson import Element
from tests.testbed.storage import Transaction

if TYPE_CHECKING:
    from tests.testbed.collection import Collection
    from tests.testbed.model import Deployment

Access = Literal["rw", "ro", "none"]
Document = dict[str, Any]
_PERMISSIONS: dict[str, dict[str, bool]] = {
    "rw": {"read": True, "write": True},
    "ro": {"read": True, "write": False},
    "none": {"read": False, "write": False},
}


def level_of(entry: object) -> Access | None:
    """The level of an entry with `permissions`; None where nothing is configured."""
    permissions = entry.get("permissions") if isinstance(entry, dict) else None
    if not isinstance(permissions, dict) or not permissions:
        return None
    if permissions.get("write"):
        return "rw" if permissions.get("read") else "none"
    return "ro" if permissions.get("read") else "none"


def configured(document: Document, database: str, collection: str | None = None) -> Access | None:
    """What is written in a user's document for a database or a collection of it, without any fallback."""
    entry = document.get("databases", {}).get(database)
    if collection is not None:
        entry = (entry or {}).get("collections", {}).get(collection)
    return level_of(entry)


def database_level(document: Document, database: str) -> Access:
    """Effective level on a database: its own entry, else that of `*`."""
    return configured(document, database) or configured(document, "*") or "none"


def collection_level(document: Document, database: str, collection: str) -> Access:
    """Effective level on a collection; names with an underscore follow the database (facts §1.3)."""
    if collection.startswith("_"):
        if database == "_system" and collection == "_users":
            return "none"
        fixed: dict[str, Access] = {"_queues": "ro", "_frontend": "rw"}
        return fixed.get(collection) or database_level(document, database)
    for place in ((database, collection), (database, "*"), ("*", "*")):
        level = configured(document, *place)
        if level is not None:
            return level
    return database_level(document, database)


def _auth_data(password: str, active: bool) -> dict[str, Any]:
    salt = secrets.token_hex(4)
    digest = hashlib.sha256((salt + password).encode()).hexdigest()
    return {"active": active, "simple": {"hash": digest, "salt": salt, "method": "sha256"}}


class UserStore:
    """The users of a deployment. Every change is a document write with markers in the logs."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._cache: dict[str, Document] | None = None

    @property
    def all(self) -> dict[str, Document]:
        """Documents by user name; the first use makes `root` where there is none."""
        if self._cache is None:
            self.reload()
            if not self._cache:
                self._make_root()
        return self._cache or {}

    def reload(self) -> None:
        """Read the documents again."""
        documents = (json.loads(raw) for _rev, raw in self._collection().shards[0].leader.snapshot())
        self._cache = {document["user"]: document for document in documents if isinstance(document.get("user"), str)}

    def _collection(self) -> Collection:
        return self._deployment.database("_system").collection("_users")

    def _make_root(self) -> None:
        everywhere = {"permissions": _PERMISSIONS["rw"], "collections": {"*": {"permissions": _PERMISSIONS["rw"]}}}
        document: Document = {
            "user": "root",
            "source": "LOCAL",
            "authData": _auth_data(self._deployment.root_password, True),
            "databases": {"_system": everywhere, "*": everywhere},
        }
        self._write(document)

    def get(self, name: str) -> Document:
        """A copy of a user's document; errorNum 1703 when there is none."""
        found = self.all.get(name)
        if found is None:
            raise ArangoError(1703)
        return copy.deepcopy(found)

    def check_password(self, name: str, password: str) -> bool:
        """Whether this is the password of an active user."""
        document = self.all.get(name)
        if document is None:
            return False
        data = document.get("authData", {})
        simple = data.get("simple", {})
        digest = hashlib.sha256((str(simple.get("salt", "")) + password).encode()).hexdigest()
        return bool(data.get("active")) and hmac.compare_digest(digest, str(simple.get("hash", "")))

    def active(self, name: str) -> bool:
        """Whether the user exists and may log in."""
        return bool(self.all.get(name, {}).get("authData", {}).get("active"))

    def create(self, name: str, password: str, active: bool, extra: Any) -> Document:
        """Make a user; errorNum 1700, 1702."""
        if not name:
            raise ArangoError(1700)
        if name in self.all:
            raise ArangoError(1702)
        document: Document = {
            "user": name,
            "source": "LOCAL",
            "authData": _auth_data(password, active),
            "databases": {},
        }
        if extra:
            document["userData"] = extra
        self._write(document)
        return document

    def change(
        self, name: str, *, password: str | None = None, active: bool | None = None, extra: Any = None
    ) -> Document:
        """Change what is given; errorNum 1703."""
        document = self.get(name)
        data = document.setdefault("authData", {})
        if password is not None:
            data |= _auth_data(password, bool(data.get("active")))
        if active is not None:
            data["active"] = active
        if extra is not None:
            document["userData"] = extra
        self._write(document)
        return document

    def configure(self, name: str, settings: dict[str, Any]) -> None:
        """Replace the settings of the web interface (`configData`)."""
        self._write(self.get(name) | {"configData": settings})

    def remove(self, name: str) -> None:
        """Remove a user; errorNum 1703, and `root` stays."""
        document = self.get(name)
        if name == "root":
            raise ArangoError(11)
        transaction = Transaction(self._deployment.database("_system"), single=True)
        Writer(transaction, self._collection(), self._front()).remove(document["_key"])
        transaction.commit()
        self.all.pop(name, None)

    def grant(self, name: str, database: str, collection: str | None, level: str | None) -> None:
        """Set or (None) take away a level; errorNum 11 for `_…` collections, and for `root` below RW on `_system`."""
        document = self.get(name)
        if collection is not None and collection.startswith("_"):
            raise ArangoError(11)
        if name == "root" and database == "_system" and collection is None and level != "rw":
            raise ArangoError(11)
        databases = document.setdefault("databases", {})
        if level is not None:
            entry = databases.setdefault(database, {})
            if collection is not None:
                entry = entry.setdefault("collections", {}).setdefault(collection, {})
            entry["permissions"] = dict(_PERMISSIONS[level])
        elif collection is None:
            databases.pop(database, None)
        else:
            databases.get(database, {}).get("collections", {}).pop(collection, None)
        self._write(document)

    def forget(self, database: str, collection: str | None = None) -> None:
        """Take the entries of a dropped database or collection out of every user's document."""
        for name, document in list(self.all.items()):
            databases = document.get("databases", {})
            inner = databases if collection is None else databases.get(database, {}).get("collections", {})
            gone = database if collection is None else collection
            if gone in inner:
                changed = self.get(name)
                places = changed["databases"]
                (places if collection is None else places[database]["collections"]).pop(gone)
                self._write(changed)

    def restore(self, documents: Iterable[Document]) -> None:
        """Upsert by `user`, ignoring `_key` and every error, then read the cache again (facts §7.4)."""
        for document in documents:
            name = document.get("user")
            if isinstance(name, str) and name:
                known = self.all.get(name)
                body = {field: value for field, value in document.items() if not field.startswith("_")}
                self._write(body if known is None else {"_key": known["_key"], **body})
        self.reload()

    def _front(self) -> Any:
        return next(iter(self._deployment.servers.values()))

    def _write(self, document: Document) -> None:
        transaction = Transaction(self._deployment.database("_system"), single=True)
        writer = Writer(transaction, self._collection(), self._front(), WriteOptions(overwrite="replace"))
        body = {name: value for name, value in document.items() if name not in ("_id", "_rev")}
        outcome = writer.insert(Element.of(body))
        transaction.commit()
        if outcome.new is not None and self._cache is not None:
            self._cache[document["user"]] = json.loads(outcome.new[1])
