# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every change of a user and of a grant (facts §8) is followed while the migration runs, closed until the opening."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.compare.side import Side
from tests.compare.whole import Login, compare
from tests.integration.engine_case import as_user, wait_status
from tests.integration.following import Change, Following, Row, following, rows
from tests.integration.pair import PASSWORD, wait_for
from tests.workload.clients import Connection

LEVELS = ("rw", "ro", "none")


def hire(name: str, **fields: Any) -> Change:
    """A user whose password is his name."""
    return ("POST", "/_api/user", "_system", {"user": name, "passwd": name, **fields})


def change(name: str, **fields: Any) -> Change:
    """A user."""
    return ("PATCH", f"/_api/user/{name}", "_system", fields)


def grant(name: str, where: str, level: str) -> Change:
    """For a database, or for a collection of one."""
    return ("PUT", f"/_api/user/{name}/database/{where}", "_system", {"grant": level})


def revoke(name: str, where: str) -> Change:
    """To what the wider grant says."""
    return ("DELETE", f"/_api/user/{name}/database/{where}", "_system", None)


def dismiss(name: str) -> Change:
    """A user."""
    return ("DELETE", f"/_api/user/{name}", "_system", None)


BEFORE: list[Change] = [
    ("POST", "/_api/database", "_system", {"name": "shop"}),
    *[("POST", "/_api/collection", "shop", {"name": name}) for name in ("plain", "short")],
    hire("app"),
    hire("other", active=False, extra={"a": [1]}),
]
TABLE = [
    Row("user made", [hire("late", extra={"desk": 1})]),
    Row("user made inactive", [hire("idle", active=False)]),
    Row("password changed", [change("app", passwd="another")]),
    Row("switched off", [change("app", active=False)]),
    Row("switched on", [change("app", active=True)]),
    Row("extra changed", [change("other", extra={"b": {"c": None}})]),
    Row("user dropped", [dismiss("idle")]),
    Row("user dropped and made anew", [dismiss("late"), hire("late"), grant("late", "shop", "ro")]),
    *[Row(f"server default {level}", [grant("app", "*", level)]) for level in LEVELS],
    *[Row(f"database {level}", [grant("app", "shop", level)]) for level in LEVELS],
    *[Row(f"system database {level}", [grant("app", "_system", level)]) for level in reversed(LEVELS)],
    *[Row(f"every collection {level}", [grant("app", "shop/*", level)]) for level in LEVELS],
    *[Row(f"collection {level}", [grant("app", "shop/plain", level)]) for level in LEVELS],
    Row("collection default of the server", [grant("app", "*/*", "ro")]),
    Row("collection revoked", [revoke("app", "shop/plain")]),
    Row("database revoked", [revoke("app", "shop")], [grant("app", "shop", "rw")]),
    Row("server default revoked", [revoke("app", "*")], [grant("app", "*", "rw")]),
    Row("grant on a collection that is dropped",
        [grant("app", "shop/short", "rw"), ("DELETE", "/_api/collection/short", "shop", None)]),
    Row("grant on a collection that is made anew",
        [("DELETE", "/_api/collection/plain", "shop", None), ("POST", "/_api/collection", "shop", {"name": "plain"}),
         grant("app", "shop/plain", "ro"), grant("app", "shop", "rw")]),
    Row("grant on a new database",
        [("POST", "/_api/database", "_system", {"name": "annex"}), grant("late", "annex", "rw")]),
    Row("grant on a database that is dropped", [("DELETE", "/_api/database/annex", "_system", None)]),
    Row("everything for the test of writes", [grant("app", "_system", "rw"), grant("late", "*", "rw")]),
]  # fmt: skip
LOGINS = (("app", "another"), ("app", "app"), ("other", "other"), ("late", "late"))


@pytest.fixture(scope="module", params=["inactive", "early", "recreated"])
def how(request: pytest.FixtureRequest) -> str:
    """Closed to everybody, read by ``early`` readers, or ``recreated`` on a target that takes no password hashes."""
    return str(request.param)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory, how: str) -> Iterator[Following]:
    """One migration for all rows."""
    directory = tmp_path_factory.mktemp("followed")
    anew = how == "recreated"
    options: dict[str, Any] = {"early_readers": how == "early", "users": "recreate" if anew else "copy"}
    target = {"readings": {"17": "no-users"}} if anew else {}
    with following(directory, BEFORE, target_options=target, **options) as made:
        yield made


def without_writing(value: Any) -> Any:
    """A document in which no permission allows to write."""
    if isinstance(value, dict):
        return {name: False if name == "write" else without_writing(item) for name, item in value.items()}
    return value


def seen(case: Following, side: Side, how: str) -> dict[Any, Any]:
    """Users as they are stored, or, where hashes differ, as the user API shows them."""
    return case.grants(side) if how == "recreated" else case.users(side)


def closed(users: dict[Any, Any], how: str) -> dict[Any, Any]:
    """How the source's users have to be on the target before the opening."""
    if how == "recreated":
        return {name: {**shown, "active": False} if name[0] == "user" else shown for name, shown in users.items()}
    if how == "early":
        return {name: {**user, "databases": without_writing(user["databases"])} for name, user in users.items()}
    return {name: {**user, "authData": {**user["authData"], "active": False}} for name, user in users.items()}


@rows(TABLE)
def test_i5_a_change_is_followed_and_nobody_can_write(case: Following, how: str, row: Row) -> None:
    """The stored documents are the source's, apart from what closes them."""
    for changes in (row.before, row.changes):
        before = case.users(case.source)
        case.send(changes)
        wanted = case.users(case.source)
        # What hangs on a definition that goes may stay in the document.
        assert not changes or wanted != before or row.name.endswith("dropped")
        wait_for(
            lambda: seen(case, case.target, how) == closed(seen(case, case.source, how), how),
            60.0,
            lambda: f"{seen(case, case.source, how)} {seen(case, case.target, how)}",
        )
    told = {"CUT-USER-4"} if how == "recreated" else set()
    wait_status(case.engine, lambda _status: {item["code"] for item in case.engine.findings()} == told, 60.0)


def test_i5_nobody_writes_before_the_opening(case: Following, how: str) -> None:
    """Not even an administrator of the source, in any database; early readers read what they may on the source."""
    logins = [*LOGINS, *new_passwords(case).items()]
    assert (len(logins) > len(LOGINS)) is (how == "recreated")
    for name, password in logins:
        server = as_user(case.pair.target, name, password)
        for database, path, body in (
            ("shop", "/_api/document/plain", {"a": 1}), ("shop", "/_api/collection", {"name": "mine"}),
            ("_system", "/_api/database", {"name": "mine"}), ("_system", "/_api/user", {"user": "mine", "passwd": ""}),
            ("_system", "/_api/document/_graphs", {"_key": "mine"}),
        ):  # fmt: skip
            answer = server.request("POST", path, database=database, body=body, raise_for=False)
            assert answer.status in (401, 403), (name, path, answer.status)
        answer = server.request("GET", "/_api/collection", database="shop", raise_for=False)
        may = how == "early" and (name, password) in (("app", "another"), ("late", "late"))
        assert (answer.status == 200) is may, (name, answer.status)
        server.close()


def new_passwords(case: Following) -> dict[str, str]:
    """Password by name, from the file that only the agent's account can read."""
    path = case.pair.directory / "engine" / "new-passwords.json"
    if not path.exists():
        return {}
    assert path.stat().st_mode & 0o777 == 0o600
    found: dict[str, str] = json.loads(path.read_text())
    return found


def test_then_the_cutover_gives_everything_back(case: Following, how: str) -> None:
    """Documents, grants and passwords are the source's; or the passwords are those of the file, and told nowhere."""
    case.cut_over()
    assert seen(case, case.target, how) == seen(case, case.source, how)
    if how == "recreated":
        assert [str(item) for item in compare(case.source, case.target, {}).differences] == []
        passwords = new_passwords(case)
        assert set(passwords) == {"app", "other", "late"}
        for name, password in passwords.items():
            answer = as_user(case.pair.target, name, password).request("GET", "/_api/database/user", raise_for=False)
            assert answer.status == (401 if name == "other" else 200)
            told = json.dumps([case.engine.status(), case.engine.findings(), case.engine.report()])
            assert password not in told
        return
    logins = [
        Login(
            name,
            Connection(case.pair.source.coordinators, case.pair.source.ca_path, name, password),
            Connection(case.pair.target.coordinators, case.pair.target.ca_path, name, password),
        )
        for name, password in LOGINS
    ]
    assert [str(item) for item in compare(case.source, case.target, {}, logins).differences] == []
    assert PASSWORD not in str(case.engine.status())
