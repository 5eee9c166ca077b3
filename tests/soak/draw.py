# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a run is, drawn from its seed alone: the same seed is the same draw, whatever the machine does."""

from __future__ import annotations

import json
import random
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from tests.e2e.dataset import stock
from tests.e2e.variants import Variants, drawn
from tests.soak.kinds import JOINED, KINDS, PHASES, Fields
from tests.testbed.exactness import is_exact
from tests.testbed.launch import Flavour
from tests.testbed.options import parse_version
from tests.workload.record import Place
from tests.workload.shop import SHOP

__all__ = ["Ending", "Planned", "Scenario", "draw_scenario", "enabled"]

Ending = Literal["cutover", "abort"]
MOST_FAULTS = 5
MOST_SHARDS = 6
MOST_LAID_OUT = 5
MOST_JOINED_FAULTS = 3


@dataclass(frozen=True)
class Planned:
    """A fault: seconds after its phase began, and for how many seconds it lasts."""

    kind: str
    phase: str
    at: float
    lasts: float
    fields: Mapping[str, Any]

    def __str__(self) -> str:
        fields = ", ".join(f"{name}={value}" for name, value in self.fields.items())
        return f"{self.kind}({fields}) at {self.phase}+{self.at:.1f} for {self.lasts:.1f} s"


@dataclass(frozen=True)
class Scenario:
    """One run.

    `shapes`: coordinators and DB-Servers of source and target; `definitions`, `users`: whether they change; `layout`:
    collections (`database/name`) of which the target makes its own revisions, with the shards it is to have of them.
    """

    seed: int
    variants: Variants
    shapes: tuple[tuple[int, int], tuple[int, int]]
    flavour: Flavour
    license: str
    options: Mapping[str, Any]
    early_readers: bool
    definitions: bool
    users: bool
    speed: float
    ending: Ending
    abort_in: str
    faults: tuple[Planned, ...]
    layout: Mapping[str, int]
    compress: str
    agents: int = 1

    def __str__(self) -> str:
        shapes = " → ".join(f"{version} {c}+{d}" for version, (c, d) in zip(self.variants.versions, self.shapes))
        changes = "+".join(name for name in ("definitions", "users") if getattr(self, name)) or "documents only"
        ending = self.ending if self.ending == "cutover" else f"abort while {self.abort_in}"
        layout = "".join(f", {name} with {shards}" for name, shards in self.layout.items())
        agents = f", {self.agents} agents" if self.agents > 1 else ""
        how = f"{layout}, compress {self.compress}{agents}"
        return f"{shapes} {self.flavour}, {changes}{how}, {ending}: {'; '.join(map(str, self.faults)) or 'no fault'}"

    @property
    def regenerated(self) -> dict[Place, int]:
        """The layout by place."""
        return {(name.split("/")[0], name.split("/")[1]): shards for name, shards in self.layout.items()}

    @property
    def edition(self) -> str:
        """The license, but Enterprise where the definitions that change may hold what the target's Community edition
        lacks (facts §10: satellites before 3.12.5), and nothing could begin.
        """
        lacks = self.definitions and parse_version(self.variants.versions[1]) < (3, 12, 5)
        return "enterprise" if lacks else self.license

    def as_json(self) -> str:
        """For the run's directory."""
        return json.dumps({**asdict(self), "readings": self.variants.option()}, indent=1)


def enabled(only: Collection[str] = ()) -> list[str]:
    """Fault classes that are drawn: those named, or all that are switched on."""
    return [name for name, kind in KINDS.items() if (name in only if only else not kind.off)]


def draw_scenario(seed: int, only: Collection[str] = (), agents: int = 1) -> Scenario:
    """The scenario of a seed, with certain fault classes only if any are named; the same for any number of agents, but
    for what hits those that join.
    """
    draw = random.Random(f"soak {seed}")
    variants = drawn(draw)
    names = enabled(only)
    weights = [KINDS[name].weight for name in names]
    count = draw.choices(range(MOST_FAULTS + 1), [1, 3, 4, 4, 3, 2])[0]
    chosen = draw.choices(names, weights, k=count) if names else []
    planned = [plan(draw, name) for name in chosen]
    faults = sorted([*planned, *joined_faults(seed, agents)], key=lambda one: (PHASES.index(one.phase), one.at))
    return Scenario(
        seed=seed,
        variants=variants,
        shapes=((draw.randint(1, 3), draw.randint(3, 4)), (draw.randint(1, 3), draw.randint(3, 4))),
        flavour=draw.choice(["managed", "managed", "selfhosted"]),
        license=draw.choice(["enterprise", "community"]),
        options={
            "truncate_threshold": draw.choice([200, 600]), "intermediate_commit_count": draw.choice([50, 10_000]),
            "checksum_seed": draw.choice([0, 0, 7]),
        },
        early_readers=draw.random() < 0.3,
        definitions=draw.random() < 0.5,
        users=draw.random() < 0.5,
        speed=draw.choice([0.3, 0.6]),
        ending="abort" if draw.random() < 0.12 else "cutover",
        abort_in=draw.choice(["copying", "running"]),
        faults=tuple(faults),
        layout=drawn_layout(draw, variants.versions[0]),
        compress=drawn_compress(draw, variants.versions[1]),
        agents=agents,
    )


def joined_faults(seed: int, agents: int) -> list[Planned]:
    """Drawn apart, so that the rest of the scenario is that of one agent."""
    if agents == 1:
        return []
    draw = random.Random(f"joined {seed}")
    return [plan(draw, draw.choice(JOINED)) for _fault in range(draw.randint(0, MOST_JOINED_FAULTS))]


def drawn_layout(draw: random.Random, source_version: str) -> dict[str, int]:
    """Collections with revisions of the target's own: none where the source prints numbers that are a little off."""
    wanted = draw.random() < 0.3
    chosen = draw.sample(sorted(most_shards().items()), draw.randint(1, MOST_LAID_OUT))
    layout = {name: draw.randint(1, most) for name, most in sorted(chosen)}
    return layout if wanted and is_exact(parse_version(source_version)) else {}


def drawn_compress(draw: random.Random, target_version: str) -> str:
    """`always` is refused where the target is older than 3.12."""
    chosen = draw.choice(["auto", "auto", "always"])
    return chosen if parse_version(target_version) >= (3, 12, 0) else "auto"


def most_shards() -> dict[str, int]:
    """How many shards a collection of the data set can have; those sharded by other fields keep their revisions."""
    return {
        f"{database.name}/{one.name}": 1 if any(index.get("unique") for index in one.indexes) else MOST_SHARDS
        for database in (stock(random.Random(0)), SHOP)
        for one in database.collections
        if not one.shard_keys
    }


def plan(draw: random.Random, name: str) -> Planned:
    """One fault of a kind."""
    kind = KINDS[name]
    fields: Fields = kind.draw(draw)
    phase = draw.choice(kind.phases)
    return Planned(name, phase, round(draw.uniform(0.0, 2.5), 2), round(draw.uniform(0.3, 2.5), 2), fields)
