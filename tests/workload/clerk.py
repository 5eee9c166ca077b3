# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Changes of users: born, gone, back under the same name, passwords, grants at every level; on the source only.

A read-only cluster goes on taking them (facts §2.3): administrators have to stop by themselves, as they do here.
"""

from __future__ import annotations

from collections.abc import Callable

from arango.database import StandardDatabase
from arango.exceptions import PermissionResetError

from tests.workload.actor import Actor
from tests.workload.record import Fields, Thing
from tests.workload.router import Stopped, UnknownOutcomeError
from tests.workload.shop import SHOP

__all__ = ["Clerk"]

LEVELS = ("rw", "ro", "none")
PLACES = ("_system", SHOP.name, "*")
COLLECTIONS = ("orders", "accounts", "*")


class Clerk(Actor):
    """`passwords`: what opens the source for each user now; users whose change had no answer are left alone."""

    collection = "users"
    rate = 3.0
    MOST = 6

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.passwords: dict[str, str] = {}
        self.made = 0

    def step(self) -> None:
        if len(self.passwords) < 2:
            self.hire()
        self.random.choice(
            [self.hire, self.dismiss, self.rehire, self.new_password, self.switch, self.grant, self.grant, self.revoke]
        )()

    def change(self, thing: Thing, fields: Fields | None, operation: Callable[[StandardDatabase], object]) -> None:
        """Carry out one change in the system database and record it."""

        def while_open(system: StandardDatabase) -> None:
            while system.mode() != "default":
                if self.stop.wait(0.2):
                    raise Stopped
            operation(system)

        try:
            self.router.write("_system", while_open)
        except UnknownOutcomeError:
            self.passwords.pop(thing[1], None)
            self.record.doubt(thing)
            raise
        self.record.define(thing, fields)

    def _one(self) -> str:
        return self.random.choice(sorted(self.passwords))

    def _extra(self) -> dict[str, int]:
        return {"desk": self.random.randrange(100)}

    def hire(self) -> None:
        if len(self.passwords) < self.MOST:
            self.made += 1
            self._create(f"clerk{self.made}")

    def _create(self, name: str) -> None:
        password, extra = f"secret-{self.random.randrange(10**9)}", self._extra()
        fields = {"active": True, "extra": extra}
        self.change(("user", name), fields, lambda system: system.create_user(name, password, True, extra))
        self.passwords[name] = password

    def dismiss(self) -> None:
        self._drop(self._one())

    def _drop(self, name: str) -> None:
        del self.passwords[name]
        self.change(("user", name), None, lambda system: system.delete_user(name))

    def rehire(self) -> None:
        name = self._one()
        self._drop(name)
        self._create(name)

    def new_password(self) -> None:
        name, password = self._one(), f"secret-{self.random.randrange(10**9)}"
        self._replace(name, password, active=True)
        self.passwords[name] = password

    def switch(self) -> None:
        """Switch a user off or on."""
        name = self._one()
        self._replace(name, self.passwords[name], active=self.random.random() < 0.5)

    def _replace(self, name: str, password: str, *, active: bool) -> None:
        extra = self._extra()
        fields = {"active": active, "extra": extra}
        self.change(("user", name), fields, lambda system: system.replace_user(name, password, active, extra))

    def grant(self) -> None:
        """A level for a database, for one of its collections, or for all of them."""
        name, level, database = self._one(), self.random.choice(LEVELS), self.random.choice(PLACES)
        of_collection = self.random.random() < 0.5 and database == SHOP.name
        collection = self.random.choice(COLLECTIONS) if of_collection else None
        thing = ("grant", name, database, collection or "")
        self.change(thing, {}, lambda system: system.update_permission(name, level, database, collection))

    def revoke(self) -> None:
        name, database = self._one(), self.random.choice(PLACES)

        def operation(system: StandardDatabase) -> None:
            try:
                system.reset_permission(name, database)
            except PermissionResetError as error:
                if error.http_code != 404:
                    raise

        self.change(("grant", name, database, ""), {}, operation)
