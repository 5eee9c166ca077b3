# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Users are closed until the opening and exact afterwards; root and the migrating user are never touched."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.findings import Findings
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.journal import Record
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.user_writers import Restored, level
from ansible_collections.cutover.arangodb.plugins.module_utils._engine.users import Users, held_form, lowered
from tests.unit.control_fakes import FakeStore, HandClocks, unreachable
from tests.unit.front_fake import FakeFront, OpenGate, refusal

RW = {"permissions": {"read": True, "write": True}}
RO = {"permissions": {"read": True, "write": False}}


def user(name: str, rev: str = "_a", active: bool = True) -> dict[str, Any]:
    """A document of ``_users`` (facts §8)."""
    return {
        "_key": f"key-{name}",
        "_id": f"_users/key-{name}",
        "_rev": rev,
        "user": name,
        "source": "LOCAL",
        "authData": {"active": active, "simple": {"hash": "ab", "salt": "cd", "method": "sha256"}},
        "databases": {"_system": {**RO, "collections": {"*": RW}}, "shop": {**RW, "collections": {"things": RO}}},
    }


def _lost(*_groups: str, idempotent: bool, **_options: Any) -> None:
    assert not idempotent, "another coordinator would be asked, and nobody knew of the lost request"
    raise unreachable()


class Clusters:
    """A source with users and a target that takes them as the facts say: by name, errors ignored."""

    def __init__(self, **options: Any) -> None:
        self.on_source = {name: user(name) for name in ("root", "admin", "app", "reader")}
        self.on_target: dict[str, dict[str, Any]] = {"root": user("root"), "admin": user("admin")}
        self.source, self.target = FakeFront(), FakeFront()
        self.source.on("POST _system /_api/cursor", self._query)
        self.target.on("PUT _system /_api/replication/restore-data", self._restore)
        self.target.on("GET _system /_api/user", self._list)
        self.target.on("GET _system /_api/user/(.+)/database", self._grants)
        self.target.on("DELETE _system /_api/user/(.+)", self._delete)
        self.ignored: set[str] = set()
        self.store = FakeStore()
        self.findings = Findings()
        self.clocks = HandClocks()
        self.options = {"policy": "copy", "early_readers": False, **options}

    def users(self) -> Users:
        """The part under test, as after a restart."""
        return Users(
            self.source,
            self.target,
            OpenGate(),
            Restored(self.target, OpenGate()),
            Record(self.store, "users-map"),
            own=["admin"],
            report=self.findings.report,
            resolve=self.findings.resolve,
            settle=300.0,
            clock=self.clocks,
            **self.options,
        )

    def lose(self, route: str) -> None:
        """The next answers get lost; the requests may run at any later time."""
        self.target.on(route, _lost)

    def find(self) -> None:
        """Answers come again."""
        self.target.routes.pop(0)

    def _query(self, **_options: Any) -> dict[str, Any]:
        return {"result": list(self.on_source.values()), "hasMore": False}

    def _restore(self, query: dict[str, Any], body: bytes, **_options: Any) -> dict[str, Any]:
        assert query == {"collection": "_users"}
        for line in body.splitlines():
            document = json.loads(line)
            if document["user"] not in self.ignored:
                self.on_target[document["user"]] = document
        return {"result": True}

    def _list(self, **_options: Any) -> dict[str, Any]:
        found = [{"user": name, "active": item["authData"]["active"]} for name, item in self.on_target.items()]
        return {"result": found}

    def _grants(self, name: str, **_options: Any) -> dict[str, Any]:
        def shown(entry: dict[str, Any]) -> str:
            return level(entry) or "undefined"

        databases = self.on_target[name]["databases"]
        return {
            "result": {
                database: {
                    "permission": shown(entry),
                    "collections": {key: shown(item) for key, item in entry.get("collections", {}).items()},
                }
                for database, entry in databases.items()
            }
        }

    def _delete(self, name: str, **_options: Any) -> dict[str, Any]:
        if name not in self.on_target:
            raise refusal(404, 1703)
        del self.on_target[name]
        return {}


def test_i5_held_inactive_then_exact() -> None:
    """Hashes and grants arrive at once, rights at the opening."""
    clusters = Clusters()
    users = clusters.users()
    assert users.sync() is True
    assert users.current
    for name in ("app", "reader"):
        assert clusters.on_target[name]["authData"]["active"] is False
        assert clusters.on_target[name]["authData"]["simple"]["hash"] == "ab"
    assert users.open_all() == []
    expected = {name: value for name, value in clusters.on_source["app"].items() if name != "_id"}
    assert clusters.on_target["app"] == expected


def test_root_and_the_migrating_user_stay_as_they_are() -> None:
    """Else our own login would be the source's."""
    clusters = Clusters()
    before = {name: clusters.on_target[name] for name in ("root", "admin")}
    clusters.users().sync()
    clusters.users().open_all()
    assert {name: clusters.on_target[name] for name in before} == before


def test_i5_early_readers_never_hold_a_right_to_write() -> None:
    """On no database and no collection, _system included."""
    clusters = Clusters(early_readers=True)
    clusters.users().sync()
    held = clusters.on_target["app"]
    assert held["authData"]["active"] is True
    assert '"write": true' not in json.dumps(held)
    assert level(held["databases"]["shop"]) == "ro"


def test_only_what_changed_is_written_again_also_after_a_restart() -> None:
    """By the source's revision, kept in the journal."""
    clusters = Clusters()
    clusters.users().sync()
    clusters.target.asked.clear()
    assert clusters.users().sync() is False
    assert clusters.target.lines("restore") == []
    clusters.on_source["app"] = user("app", "_b", active=False)
    assert clusters.users().sync() is True
    written = clusters.target.asked[0][1]
    assert b'"app"' in written
    assert b'"reader"' not in written


def test_a_user_removed_on_the_source_is_removed_by_name() -> None:
    """The map from the journal knows whom we made; strangers stay."""
    clusters = Clusters()
    clusters.users().sync()
    clusters.on_target["stranger"] = user("stranger")
    del clusters.on_source["reader"]
    clusters.users().sync()
    assert set(clusters.on_target) == {"root", "admin", "app", "stranger"}


def test_i9_a_user_that_the_target_swallows_is_a_finding() -> None:
    """The restore ignores single errors: it is read back."""
    clusters = Clusters()
    clusters.ignored = {"app"}
    users = clusters.users()
    users.sync()
    assert not users.current
    assert [(item["code"], item["where"]) for item in clusters.findings.blocking()] == [("CUT-USER-2", "user app")]
    assert users.open_all() == [("app", "the user is not on the target")]


def test_i5_active_users_before_the_opening_are_a_finding() -> None:
    """Somebody, or a defect, enabled one."""
    clusters = Clusters()
    users = clusters.users()
    users.sync()
    clusters.on_target["app"]["authData"]["active"] = True
    wanted = {"app": held_form(user("app"), early_readers=False)}
    assert users.verify(wanted) == [("app", "the user should be inactive")]


@pytest.mark.parametrize("repair", [True, False])
def test_i5_users_that_somebody_changes_on_the_target_are_noticed(repair: bool) -> None:
    """Put right with a warning, or told until they are."""
    clusters = Clusters()
    users = clusters.users()
    users.sync()
    users.audit(repair=repair)
    assert clusters.findings.all() == []
    clusters.on_target["app"] = user("app")
    del clusters.on_target["reader"]
    users.sync()
    assert users.current, "nothing has changed on the source"
    users.audit(repair=repair)
    users.sync()
    assert users.current is repair
    codes = {item["code"] for item in clusters.findings.all()}
    assert codes == {"CUT-VERIFY-3" if repair else "CUT-USER-2"}
    assert ("reader" in clusters.on_target) is repair
    assert clusters.on_target["app"]["authData"]["active"] is not repair


def test_grants_that_went_with_a_collection_made_again_blame_nobody() -> None:
    """Dropping a collection on the target takes its grants away; they are written again, and that is all."""
    clusters = Clusters()
    users = clusters.users()
    users.sync()
    clusters.on_target["app"]["databases"]["shop"]["collections"]["things"] = {}
    users.audit(repair=True)
    assert level(clusters.on_target["app"]["databases"]["shop"]["collections"]["things"]) == "ro"
    assert clusters.findings.all() == []
    assert users.current


def test_wrong_grants_are_told() -> None:
    """By database and collection."""
    clusters = Clusters()
    users = clusters.users()
    users.open_all()
    clusters.on_target["app"]["databases"]["shop"] = {**RO, "collections": {"things": RW}}
    texts = [text for unused, text in users.verify({"app": user("app")})]
    assert texts == [
        "database shop: the grant is ro and should be rw",
        "shop/things: the grant is rw and should be ro",
    ]


def test_i5_a_coordinator_that_does_not_know_a_new_user_yet_is_waited_for() -> None:
    """The one that was written to knows at once, the others by their heartbeat."""
    clusters = Clusters()

    def unknown(*_groups: str, **_options: Any) -> None:
        raise refusal(404, 1703)

    clusters.target.on("GET _system /_api/user/(.+)/database", unknown)
    users = clusters.users()
    users.sync()
    assert not users.current, "nobody has seen what they may do"
    users.audit(repair=True)
    assert {item["code"] for item in clusters.findings.all()} == {"CUT-USER-2"}, "nobody is blamed"
    clusters.find()
    assert users.sync() is False, "nothing is written again"
    assert users.current
    assert clusters.findings.all() == []


def test_i5_what_could_not_be_read_back_is_read_back_later() -> None:
    """The mark of what was written is no proof."""
    clusters = Clusters()

    def unread(**_options: Any) -> None:
        raise unreachable()

    clusters.target.on("GET _system /_api/user", unread)
    users = clusters.users()
    with pytest.raises(CutoverError):
        users.sync()
    assert not users.current
    clusters.find()
    clusters.on_target["app"]["authData"]["active"] = True
    users.sync()
    assert not users.current
    assert [item["where"] for item in clusters.findings.all()] == ["user app"]


def test_an_interrupted_write_is_made_again() -> None:
    """The map is written before and after."""
    clusters = Clusters()
    clusters.target.on("PUT _system /_api/replication/restore-data", lambda **_o: (_ for _ in ()).throw(KeyError()))
    with pytest.raises(KeyError):
        clusters.users().sync()
    clusters.target.routes.pop(0)
    assert clusters.users().sync() is True
    assert {"app", "reader"} <= set(clusters.on_target)


RESTORE = "PUT _system /_api/replication/restore-data"
DELETE = "DELETE _system /_api/user/(.+)"


def change_on_source(clusters: Clusters) -> None:
    clusters.on_source["app"] = user("app", rev="_b")


def dismiss_on_source(clusters: Clusters) -> None:
    del clusters.on_source["app"]


@pytest.mark.parametrize(("lost", "change"), [(RESTORE, change_on_source), (DELETE, dismiss_on_source)])
@pytest.mark.parametrize("restarted", [False, True])
def test_i1_nobody_is_opened_while_a_lost_request_about_users_may_run(
    lost: str, change: Callable[[Clusters], None], restarted: bool
) -> None:
    """It would make a user inactive, or remove him, when the target is open."""
    clusters = Clusters()
    users = clusters.users()
    users.sync()
    assert users.current
    change(clusters)
    clusters.lose(lost)
    with pytest.raises(CutoverError):
        users.sync()
    assert not users.current
    clusters.find()
    users = clusters.users() if restarted else users
    clusters.clocks.monotonic_now += 100.0
    users.sync()
    assert not users.current, "made again, but the lost one may still run"
    clusters.clocks.monotonic_now += 301.0
    users.sync()
    assert users.current


def test_i1_a_lost_request_that_puts_users_right_is_waited_for_too() -> None:
    clusters = Clusters()
    users = clusters.users()
    users.sync()
    clusters.on_target["app"] = user("app")
    clusters.lose(RESTORE)
    with pytest.raises(CutoverError):
        users.audit(repair=True)
    clusters.find()
    users.audit(repair=True)
    assert not users.current
    clusters.clocks.monotonic_now += 301.0
    assert users.current


def test_a_refused_restore_refuses_the_start_unless_users_are_skipped() -> None:
    """Probed with an empty body."""
    clusters = Clusters()

    def refuse(**_options: Any) -> None:
        raise refusal(403, 11)

    clusters.target.on("PUT _system /_api/replication/restore-data", refuse)
    with pytest.raises(CutoverError) as refused:
        clusters.users().probe()
    assert refused.value.code == "CUT-USER-1"
    skipping = Clusters(policy="skip")
    skipping.target.on("PUT _system /_api/replication/restore-data", refuse)
    skipping.users().probe()
    assert skipping.users().sync() is False
    assert skipping.users().open_all() == []
    assert skipping.users().current


def test_after_an_abort_all_are_inactive() -> None:
    """Also those who could read early."""
    clusters = Clusters(early_readers=True)
    users = clusters.users()
    users.sync()
    users.close_all()
    assert not any(clusters.on_target[name]["authData"]["active"] for name in ("app", "reader"))


def test_a_source_that_is_gone_at_the_opening_does_not_keep_the_target_closed() -> None:
    """It was read after the fence; only a restart needs it again."""
    clusters = Clusters()
    users = clusters.users()
    users.sync()

    def gone(**_options: Any) -> None:
        raise unreachable()

    clusters.source.on("POST _system /_api/cursor", gone)
    assert users.open_all() == []
    assert clusters.on_target["app"]["authData"]["active"] is True
    with pytest.raises(CutoverError):
        clusters.users().open_all()


def test_who_was_left_at_the_opening_is_opened_alone() -> None:
    """What has become of the others on the open target is not touched, and nobody is told of as changed."""
    clusters = Clusters()
    clusters.ignored = {"app"}
    users = clusters.users()
    users.sync()
    assert [name for name, _text in users.open_all()] == ["app"]
    assert users.refused == {"app"}
    assert users.changed_since_opening() == []
    clusters.on_target["reader"]["authData"]["active"] = False
    assert users.open_all({"app"}) == [("app", "the user is not on the target")]
    clusters.ignored.clear()
    assert users.open_all({"app"}) == []
    assert users.refused == set()
    assert clusters.on_target["app"]["authData"]["active"] is True
    assert clusters.on_target["reader"]["authData"]["active"] is False
    assert users.changed_since_opening() == []


def test_levels() -> None:
    """As in facts §8; what is not said stays unsaid."""
    assert [level(RW), level(RO)] == ["rw", "ro"]
    assert level({"permissions": {"read": False, "write": False}}) == "none"
    assert level({}) is None
    assert lowered({"x": {"collections": {}}}) == {"x": {"collections": {}}}


LEVELS = st.sampled_from([None, "rw", "ro", "none"])
NAMES = st.sampled_from(["*", "_system", "shop", "häuser"])


def _entry(granted: str | None) -> dict[str, Any]:
    """A grant as the user's document has it; nothing where nothing is said (facts §8)."""
    if granted is None:
        return {}
    return {"permissions": {"read": granted != "none", "write": granted == "rw"}}


@st.composite
def grants(draw: st.DrawFn) -> dict[str, Any]:
    """Grants on databases and their collections at every level."""
    return {
        name: {
            **_entry(draw(LEVELS)),
            "collections": {item: _entry(draw(LEVELS)) for item in draw(st.sets(st.sampled_from(["*", "things"])))},
        }
        for name in draw(st.sets(NAMES))
    }


@settings(max_examples=60, deadline=None)
@given(drawn=grants(), active=st.booleans(), early_readers=st.booleans(), tried=st.booleans())
def test_i5_grants_of_every_level_return_exactly(
    drawn: dict[str, Any], active: bool, early_readers: bool, tried: bool
) -> None:
    """Held, closed again if an attempt was made and undone, and opened: nothing of what was taken away stays away."""
    clusters = Clusters(early_readers=early_readers)
    clusters.on_source["app"] = {**user("app", active=active), "databases": drawn}
    wanted = {name: item for name, item in clusters.on_source["app"].items() if name != "_id"}
    users = clusters.users()
    users.sync()
    held = clusters.on_target["app"]
    assert early_readers or held["authData"]["active"] is False
    assert not early_readers or '"write": true' not in json.dumps(held["databases"])
    if tried:
        users.close_all()
        assert clusters.on_target["app"]["authData"]["active"] is False
    clusters.users().open_all()
    assert {name: item for name, item in clusters.on_target["app"].items() if name != "_id"} == wanted


def test_i9_users_that_change_after_the_opening_are_told() -> None:
    """Changed, new and removed ones: the read-only mode does not fence them (facts §2.3)."""
    clusters = Clusters()
    users = clusters.users()
    users.sync()
    users.open_all()
    assert users.changed_since_opening() == []
    clusters.on_source["app"] = user("app", rev="_b")
    clusters.on_source["late"] = user("late")
    del clusters.on_source["reader"]
    assert users.changed_since_opening() == ["app", "late", "reader"]
