# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The verdict on a run, by what the emulator stores, what users were told, and what processes left behind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.compare.definitions import check_recorded, definitions
from tests.compare.documents import acknowledged_by_source, is_content_of
from tests.compare.side import Difference
from tests.compare.whole import Login, compare
from tests.soak.draw import Ending
from tests.soak.prober import decision
from tests.soak.world import World, threads
from tests.workload.record import Entry, Place

__all__ = ["MAX_RSS", "Evidence", "gather", "judge"]

MAX_RSS = 200 * 10**6  # bytes
MORE_THREADS = 2  # than before the migration
SHOWN = 12
HARMLESS = ("[ERR 1202]", "[ERR 1210]")  # what users get who write again what the source itself has lost


@dataclass
class Evidence:
    """What is known after the end. Modes by server: "readonly" or "default"."""

    ending: Ending
    state: str
    decision: str
    found_mode: str
    modes: dict[str, str]
    differences: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    opened_early: list[str] = field(default_factory=list)
    written_on_both: str = ""
    users_refused_by_source: str = ""
    errors_of_users: list[str] = field(default_factory=list)
    secrets_seen: list[str] = field(default_factory=list)
    peak_rss: int = 0
    threads_left: int = 0
    exit_status: dict[str, int | None] = field(default_factory=dict)


def judge(evidence: Evidence) -> list[str]:
    """Everything that is not as it has to be; nothing at all after a good run."""
    wrong = [*evidence.opened_early, *evidence.errors_of_users]
    completed = evidence.ending == "cutover"
    if evidence.state != ("completed" if completed else "aborted"):
        wrong.append(f"the migration ended as {evidence.state}")
    if completed != (evidence.decision == "completed"):
        wrong.append(f"the decision record says {evidence.decision} after a {evidence.ending}")
    expected = "readonly" if completed else evidence.found_mode
    odd = sorted(name for name, mode in evidence.modes.items() if mode != expected)
    if odd:
        wrong.append(f"the source has to be {expected}, which {', '.join(odd)} are not")
    wrong += [f"difference: {text}" for text in evidence.differences[:SHOWN]]
    wrong += [f"lost: {text}" for text in evidence.lost[:SHOWN]]
    wrong += [f"secret in {text}" for text in evidence.secrets_seen]
    wrong += [text for text in (evidence.written_on_both, evidence.users_refused_by_source) if text]
    if evidence.peak_rss > MAX_RSS:
        wrong.append(f"the agent had {evidence.peak_rss / 1e6:.0f} MB, more than {MAX_RSS / 1e6:.0f}")
    if evidence.threads_left > MORE_THREADS:
        wrong.append(f"the agent has {evidence.threads_left} threads more than before the migration")
    wrong += [f"{name} ended with status {status}" for name, status in evidence.exit_status.items() if status]
    return wrong


def gather(world: World, state: str, found_mode: str) -> Evidence:
    """Look at everything; the workload has stopped, agents and clusters still run."""
    scenario, clusters = world.scenario, world.clusters
    overview = world.control("source").get("/state/overview")["servers"]
    modes = {one["name"]: "readonly" if one["readonly"] else "default" for one in overview.values() if one["running"]}
    journal = world.prober.journal() if world.prober else {}
    evidence = Evidence(scenario.ending, state, decision(journal), found_mode, modes, peak_rss=world.peak_rss)
    record = entries(world)
    if scenario.ending == "cutover":
        logins = [Login(name, *(clusters.connect(side, name, word) for side in ("source", "target")))
                  for name, word in passwords(world).items()]
        sides = clusters.side("source"), clusters.side("target")
        found = compare(*sides, record, logins, scenario.regenerated).differences
        evidence.differences = [str(one) for one in found if not forgotten(world, one)]
        evidence.written_on_both = written_on_both(world)
    evidence.lost = [str(one) for one in lost(world, record)]
    evidence.errors_of_users = errors_of_users(world)
    evidence.opened_early = list(world.prober.opened_early) if world.prober else []
    evidence.secrets_seen = secrets_seen(world, journal)
    evidence.threads_left = threads(world.agent.pid or 0) - world.idle_threads
    return evidence


def entries(world: World) -> dict[Place, dict[str, Entry]]:
    """The record; of collections that the source itself damaged, only what the target acknowledged."""
    record = world.workload.record
    found = {place: keys for place, keys in record.entries().items() if ("collection", *place) not in record.doubtful}
    for place in world.forgetful & found.keys():
        for entry in found[place].values():
            entry.acknowledged.pop("source", None)
    return found


def forgotten(world: World, difference: Difference) -> bool:
    """Whether the target has what the source had acknowledged, and then lost by itself while it was fenced.

    After the proof nobody looks at the source's documents any more, and the target is right.
    """
    database, collection, *rest = difference.where.split("/", 2)
    if (database, collection) not in world.forgot_fenced or not rest:
        return False
    entry = world.workload.record.entries().get((database, collection), {}).get(rest[0])
    if entry is None or "source" not in entry.acknowledged:
        return False
    document = entry.acknowledged["source"]
    if document is not None and (database, collection) in world.scenario.regenerated:
        stored = world.clusters.side("target").storage.documents(database, collection).get(rest[0])
        return "target" not in entry.acknowledged and is_content_of(stored, document)
    right = "found None" if document is None else f"found ('{document['_rev']}',"
    return right in difference.detail


def passwords(world: World) -> dict[str, str]:
    """Users with their passwords as they are now."""
    from tests.e2e.dataset import ADMINISTRATOR, USERS

    return {one.name: one.password for one in (*USERS, ADMINISTRATOR)} | world.workload.passwords()


def lost(world: World, record: dict[Place, dict[str, Entry]]) -> Iterable[Difference]:
    """What the source acknowledged and does not have."""
    source, workload = world.clusters.side("source"), world.workload.record
    yield from check_recorded(definitions(source), workload.definitions, workload.doubtful)
    for (database, name), keys in sorted(record.items()):
        stored, _wrong = source.check_reading(database, name)
        for key, entry in keys.items():
            yield from acknowledged_by_source(f"{database}/{name}/{key}", stored.get(key), entry)


def written_on_both(world: World) -> str:
    """Whether the source took a write of users after the target had taken one."""
    record = world.workload.record
    if "target" not in record.first:
        return "nobody could write to the opened target"
    if record.first["target"] < record.last.get("source", 0.0):
        late = record.last["source"] - record.first["target"]
        return f"the source acknowledged a write {late:.2f} s after the target had"
    return ""


def errors_of_users(world: World) -> list[str]:
    """What users were told that nobody should be told."""
    errors: list[str] = world.workload.figures()["errors"]
    return [text for text in errors if not (world.forgetful and any(number in text for number in HARMLESS))][:SHOWN]


def secrets_seen(world: World, journal: dict[str, tuple[str, bytes]]) -> list[str]:
    """Where a secret stands that must not: logs, status, events, and the journal on the target."""
    clusters = world.clusters
    secrets = {
        "the source's JWT secret": clusters.source.jwt_secret_path.read_text(encoding="utf-8"),
        "root's password": clusters.target.root_password,
        **{f"{name}'s password": word for name, word in passwords(world).items()},
        **{f"token {number}": agent.token for number, agent in enumerate(world.agents, 1)},
    }
    texts = {str(path.name): path.read_text("utf-8", "replace") for path in logs(world)}
    texts["the status document"] = str(world.status())
    texts["the journal"] = b"".join(raw for _revision, raw in journal.values()).decode("utf-8", "replace")
    return [f"{where}: {what}" for where, text in texts.items() for what, secret in secrets.items() if secret in text]


def logs(world: World) -> list[Path]:
    """Logs of all agents."""
    return [agent.log_path for agent in world.agents]


def as_dict(evidence: Evidence) -> dict[str, Any]:
    """For the run's directory."""
    return dict(evidence.__dict__)
