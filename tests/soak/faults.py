# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How each fault of the switch table is done to a run's clusters and agents, and taken back."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.soak.kinds import PRESETS, Fields
from tests.workload.shop import SHOP

if TYPE_CHECKING:
    from tests.e2e.agent import Agent
    from tests.soak.world import World

__all__ = ["FAULTS", "Undo"]

Undo = Callable[[], object]
Fault = Callable[["World", Fields], "Undo | None"]
FAULTS: dict[str, Fault] = {}
# What the agent asks of either side, and what users ask of the source.
OF_TARGET = r"/_api/(replication/restore|document|cursor|user|index|collection|view|analyzer|gharial|database)"
OF_SOURCE = r"/_api/(wal|dump|replication|collection|cursor)|/_admin/(cluster|server)"
OF_USERS = r"/_api/(document|transaction|collection/[^/]+/truncate|user|index|view|database)"


def fault(function: Fault) -> Fault:
    """Register a fault under the function's name."""
    FAULTS[function.__name__] = function
    return function


def requests(world: World, side: str, pattern: str, kind: str, **fields: Any) -> Undo:
    """A fault of requests until it is taken back, with all others of that side."""
    world.control(side).fault(kind, path_regex=pattern, seed=world.scenario.seed, **fields)
    return world.control(side).clear


@fault
def lost_answers_of_target(world: World, fields: Fields) -> Undo:
    return requests(world, "target", OF_TARGET, "lost_answer", **fields)


@fault
def lost_answers_of_source(world: World, fields: Fields) -> Undo:
    return requests(world, "source", OF_SOURCE, "lost_answer", **fields)


@fault
def lost_answers_to_users(world: World, fields: Fields) -> Undo:
    return requests(world, "source", OF_USERS, "lost_answer", **fields)


@fault
def errors_of_target(world: World, fields: Fields) -> Undo:
    return requests(world, "target", OF_TARGET, "status", **fields, run=PRESETS[fields["preset"]])


@fault
def errors_of_source(world: World, fields: Fields) -> Undo:
    return requests(world, "source", OF_SOURCE, "status", **fields, run=PRESETS[fields["preset"]])


def broken(world: World, side: str, pattern: str, fields: Fields) -> Undo:
    """Bodies that end too early, too late or slowly."""
    how = {name: value for name, value in fields.items() if name != "fault"}
    return requests(world, side, pattern, fields["fault"], **how)


@fault
def broken_answers_of_target(world: World, fields: Fields) -> Undo:
    return broken(world, "target", OF_TARGET, fields)


@fault
def broken_answers_of_source(world: World, fields: Fields) -> Undo:
    return broken(world, "source", OF_SOURCE, fields)


def killed(world: World, side: str, server: str, **more: Any) -> Undo:
    """A server is gone until it is started again."""
    control = world.control(side)
    control.fault("kill_server", server=server, **more)
    return lambda: control.fault("restart_server", server=server)


@fault
def kill_coordinator(world: World, fields: Fields) -> Undo | None:
    """Where there is one only, it comes back soon, as well."""
    return killed(world, fields["side"], world.server(fields["side"], "coordinator", fields["number"]))


@fault
def kill_dbserver(world: World, fields: Fields) -> Undo:
    return killed(world, fields["side"], world.server(fields["side"], "dbserver", fields["number"]))


@fault
def restart_dbserver(world: World, fields: Fields) -> None:
    name = world.server(fields["side"], "dbserver", fields["number"])
    world.control(fields["side"]).fault("restart_server", server=name)


@fault
def new_data_directory(world: World, fields: Fields) -> Undo:
    """Refused by the testbed where the server holds the only copy of something."""
    return killed(world, "source", world.server("source", "dbserver", fields["number"]), new_data_dir=True)


@fault
def fail_over(world: World, fields: Fields) -> None:
    world.control("source").fault("fail_over", server=world.server("source", "dbserver", fields["number"]))


@fault
def lagging_fail_over(world: World, fields: Fields) -> Undo:
    """What the follower lacks is lost on the source itself: the record is told of it."""
    database, shard = world.shard(fields["number"], replicated=True)
    world.control("source").fault("hold_replication", database=database, shard=shard)
    world.source_forgets(database, shard)

    def change() -> None:
        world.control("source").fault("fail_over", database=database, shard=shard)
        world.source_forgot(database, shard)

    return change


@fault
def move_leader(world: World, fields: Fields) -> None:
    database, shard = world.shard(fields["number"], replicated=True)
    world.control("source").fault("move_leader", database=database, shard=shard)


@fault
def move_shard(world: World, fields: Fields) -> None:
    database, shard, free = world.movable(fields["number"])
    world.control("source").fault("move_shard", database=database, shard=shard, to=free, seconds=0.5)


@fault
def rebalance(world: World, fields: Fields) -> None:
    world.control("source").fault("rebalance", **fields)


@fault
def clean_out_server(world: World, fields: Fields) -> None:
    world.control("source").fault("clean_out_server", server=world.server("source", "dbserver", fields["number"]))


@fault
def add_server(world: World, fields: Fields) -> None:
    world.control("source").fault("add_server", role="dbserver")


@fault
def purge_wal(world: World, fields: Fields) -> None:
    world.control("source").fault("purge_wal", server=world.server("source", "dbserver", fields["number"]))


@fault
def stale_coordinator(world: World, fields: Fields) -> None:
    name = world.server("source", "coordinator", fields["number"])
    world.control("source").fault("stale_coordinator", server=name, seconds=2.0)


@fault
def overload(world: World, fields: Fields) -> Undo:
    control = world.control(fields["side"])
    control.fault("load", capacity=fields["capacity"])
    return lambda: control.fault("load", capacity=0)


@fault
def clock_skew(world: World, fields: Fields) -> Undo:
    control, name = world.control("source"), world.server("source", "dbserver", fields["number"])
    control.fault("clock_skew", server=name, seconds=fields["seconds"])
    return lambda: control.fault("clock_skew", server=name, seconds=0)


def switched(world: World, side: str, kind: str, **fields: Any) -> Undo:
    """Something that is switched on and off."""
    control = world.control(side)
    control.fault(kind, on=True, **fields)
    return lambda: control.fault(kind, on=False, **fields)


@fault
def license_readonly_of_source(world: World, fields: Fields) -> Undo:
    return switched(world, "source", "license_readonly")


@fault
def license_readonly_of_target(world: World, fields: Fields) -> Undo:
    return switched(world, "target", "license_readonly")


@fault
def full_disk(world: World, fields: Fields) -> Undo:
    name = world.server(fields["side"], "dbserver", fields["number"])
    return switched(world, fields["side"], "full_disk", server=name)


@fault
def late_mode(world: World, fields: Fields) -> Undo:
    control, name = world.control("source"), world.server("source", "any", fields["number"])
    control.fault("late_mode", server=name, seconds=2.0)
    return lambda: control.fault("late_mode", server=name, seconds=0)


def away(fields: Fields, leave: Callable[[], object], come_back: Callable[[], object]) -> None:
    """An agent is gone for some time."""
    leave()
    time.sleep(fields["away"])
    come_back()


@fault
def agent_killed(world: World, fields: Fields) -> None:
    away(fields, world.agent.kill, world.agent.start)


@fault
def agent_frozen(world: World, fields: Fields) -> None:
    away(fields, world.agent.freeze, world.agent.thaw)


@fault
def take_over(world: World, fields: Fields) -> Undo | None:
    """Another host goes on; the first agent comes back when that one works, if it was not dead."""
    first, frozen = world.agent, fields["frozen"]
    leave, come_back = (first.freeze, first.thaw) if frozen else (first.kill, first.start)
    leave()
    if world.another_agent():
        return come_back if frozen else None
    come_back()
    return None


def joined(world: World, fields: Fields) -> Agent:
    """One of the agents that copy for another one."""
    if not world.joined:
        raise RuntimeError("no agent has joined")
    number: int = fields["number"]
    return world.joined[number % len(world.joined)]


@fault
def joined_killed(world: World, fields: Fields) -> None:
    agent = joined(world, fields)
    away(fields, agent.kill, agent.start)


@fault
def joined_frozen(world: World, fields: Fields) -> None:
    agent = joined(world, fields)
    away(fields, agent.freeze, agent.thaw)


@fault
def joined_stopped(world: World, fields: Fields) -> None:
    agent = joined(world, fields)
    away(fields, agent.stop, agent.start)


@fault
def silent_damage(world: World, fields: Fields) -> None:
    """Keys that nobody writes: the damage is not mended by chance."""
    spec: Fields = {"database": "stock", "collection": "parts", "key": f"p{fields['number'] % 200}"}
    if fields["fault"] == "add_document":
        spec |= {"key": f"damage{fields['number']}", "body": {"group": 1}}
    if fields["fault"] == "revert_document":
        spec |= {"database": SHOP.name, "collection": "counters", "key": f"hot{fields['number'] % 12}"}
    world.control("target").fault(fields["fault"], **spec)
