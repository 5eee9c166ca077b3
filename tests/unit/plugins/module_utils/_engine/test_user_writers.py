# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Users who are made anew: their passwords are never lost, their grants are exactly the source's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.findings import Findings
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.user_writers import Recreated
from tests.unit.front_fake import FakeFront, OpenGate, refusal

RW, RO, NONE = ({"permissions": {"read": read, "write": write}} for read, write in ((1, 1), (1, 0), (0, 0)))


class Case:
    """A target with a user API, and a writer with its file."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "new-passwords.json"
        self.front = FakeFront()
        self.found: dict[str, dict[str, Any]] = {}
        self.grants: dict[str, dict[tuple[str, ...], str]] = {}
        self.findings = Findings()
        self.front.on("GET _system /_api/user", lambda **_o: {"result": [{"user": name} for name in self.found]})
        self.front.on("POST _system /_api/user", self._create)
        self.front.on("PUT _system /_api/user/([^/]+)", self._replace)
        self.front.on("GET _system /_api/user/([^/]+)/database", self._shown)
        self.front.on("PUT _system /_api/user/([^/]+)/database/(.+)", self._grant)
        self.front.on("DELETE _system /_api/user/([^/]+)/database/(.+)", self._revoke)

    @property
    def writer(self) -> Recreated:
        """As after a restart."""
        return Recreated(self.front, OpenGate(), self.path, self.findings.report)

    def passwords(self) -> dict[str, str]:
        """What the file says now."""
        found: dict[str, str] = json.loads(self.path.read_text()) if self.path.exists() else {}
        return found

    def _create(self, body: dict[str, Any], **_options: Any) -> dict[str, Any]:
        assert self.passwords()[body["user"]] == body["passwd"], "a password that nobody would know"
        if body["user"] in self.found:
            raise refusal(409, 1702)
        self.found[body["user"]] = body
        self.grants[body["user"]] = {}
        return {}

    def _replace(self, name: str, body: dict[str, Any], **_options: Any) -> dict[str, Any]:
        assert self.passwords()[name] == body["passwd"]
        self.found[name] = body
        return {}

    def _grant(self, name: str, where: str, body: dict[str, Any], **_options: Any) -> dict[str, Any]:
        if where == "shop/gone":
            raise refusal(404, 1203)
        self.grants[name][tuple(where.replace("%2A", "*").split("/"))] = body["grant"]
        return {}

    def _revoke(self, name: str, where: str, **_options: Any) -> dict[str, Any]:
        if self.grants[name].pop(tuple(where.replace("%2A", "*").split("/")), None) is None:
            raise refusal(404, 1703)
        return {}

    def _shown(self, name: str, **_options: Any) -> dict[str, Any]:
        grants = self.grants[name]
        fallback = grants.get(("*",), "none")
        return {
            "result": {
                database: {
                    "permission": grants.get((database,), fallback),
                    "collections": {
                        one: grants.get((database, one), "undefined") for one in ("_graphs", "things", "*")
                    },
                }
                for database in ("_system", "shop", "*")
            }
        }


def document(name: str, databases: dict[str, Any], active: bool = False) -> dict[str, Any]:
    """A document of ``_users``."""
    return {"user": name, "authData": {"active": active}, "userData": {"desk": 1}, "databases": databases}


@pytest.fixture
def case(tmp_path: Path) -> Case:
    """Nobody is there yet."""
    return Case(tmp_path)


def test_a_password_is_on_the_disk_first_and_stays(case: Case) -> None:
    """The fake refuses one that is not; a second write, also after a restart, keeps it."""
    case.writer.write({"app": document("app", {})})
    first = case.passwords()
    assert case.path.stat().st_mode & 0o777 == 0o600
    case.writer.write({"app": document("app", {}, active=True)})
    assert (case.passwords(), case.found["app"]["active"]) == (first, True)
    assert [(item["code"], item["severity"]) for item in case.findings.all()] == [("CUT-USER-4", "warning")]
    assert first["app"] not in str(case.findings.all())


def test_who_was_made_by_another_host_gets_another_password(case: Case) -> None:
    """Nobody knows the former one here; also when his making is seen too late."""
    case.found["app"] = {"passwd": "unknown"}
    case.grants["app"] = {}
    case.writer.write({"app": document("app", {})})
    assert case.found["app"]["passwd"] == case.passwords()["app"]
    case.front.on("GET _system /_api/user", lambda **_o: {"result": []})
    case.writer.write({"app": document("app", {}, active=True)})
    assert case.found["app"]["active"] is True


def test_grants_are_exactly_those_of_the_document(case: Case) -> None:
    """Those that are new, changed and gone; what is for something that is not there, or of the system, is left out."""
    before = {"*": RO, "shop": {**RW, "collections": {"things": NONE, "gone": RW, "_graphs": RW, "*": RO}}}
    case.writer.write({"app": document("app", before)})
    assert case.grants["app"] == {
        ("*",): "ro", ("shop",): "rw", ("shop", "things"): "none", ("shop", "*"): "ro",
    }  # fmt: skip
    case.writer.write({"app": document("app", {"_system": RO, "shop": {"collections": {"things": RW}}})})
    assert case.grants["app"] == {("_system",): "ro", ("shop", "things"): "rw"}


def test_a_user_who_is_gone_has_no_password(case: Case) -> None:
    """It would be handed out to nobody."""
    case.writer.write({"app": document("app", {}), "late": document("late", {})})
    case.writer.forget("app")
    case.writer.forget("nobody")
    assert set(case.passwords()) == {"late"}


def test_the_probe_tells_what_is_refused(case: Case) -> None:
    """Before anything is touched; what passes by itself stays what it is."""
    case.writer.probe()
    for status, number, code in ((403, 11, "CUT-USER-1"), (503, 503, "CUT-ARANGO-3")):
        error = refusal(status, number)
        case.front.on("GET _system /_api/user", lambda error=error, **_o: raise_(error))  # type: ignore[misc]
        with pytest.raises(CutoverError) as refused:
            case.writer.probe()
        assert refused.value.code == (code if code == "CUT-USER-1" else error.code)
    assert not case.path.exists()


def raise_(error: Exception) -> None:
    """In an expression."""
    raise error
