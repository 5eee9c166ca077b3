# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The judge against real clusters: a migration that went well is spoilt in one way after the other; each is seen."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.build_agent import build
from tests.e2e.dataset import WRITER
from tests.soak.draw import draw_scenario
from tests.soak.judge import Evidence, gather, judge
from tests.soak.prober import Prober
from tests.soak.run import Course
from tests.soak.world import World
from tests.workload.shop import SHOP

REGENERATED = "events"  # of which the target makes its own revisions
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]


class Ended:
    """A run that has ended, its clusters still there."""

    def __init__(self, world: World, evidence: Evidence) -> None:
        self.world, self.evidence = world, evidence
        self._given: set[tuple[str, str]] = set()

    def wrong(self) -> list[str]:
        """The verdict on how things are now."""
        return judge(gather(self.world, self.evidence.state, self.evidence.found_mode))

    def kept(self, collection: str) -> str:
        """Another key that the source has acknowledged and nobody has written to since the opening."""
        entries = self.world.workload.record.entries()[(SHOP.name, collection)]
        found = next(
            str(key) for key, entry in sorted(entries.items())
            if entry.acknowledged.get("source") and "target" not in entry.acknowledged and not entry.unknown
            and (collection, key) not in self._given
        )
        self._given.add((collection, found))
        return found

    def drop(self, side: str, collection: str, key: str, database: str = SHOP.name) -> None:
        """A document vanishes without a trace."""
        control = self.world.control(side)
        control.fault("drop_document", database=database, collection=collection, key=key)


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ended]:
    """A cutover without any fault."""
    home: Path = tmp_path_factory.mktemp("soak")
    scenario = replace(
        draw_scenario(1), faults=(), ending="cutover", definitions=False, users=True,
        layout={f"{SHOP.name}/{REGENERATED}": 5},
    )
    with World(home, build(home / "agent.pyz"), scenario) as world:
        yield Ended(world, Course(world).go())


def test_1_nothing_is_wrong_with_a_good_run(ended: Ended) -> None:
    assert judge(ended.evidence) == []
    assert ended.wrong() == []


def test_2_a_document_that_the_target_lost(ended: Ended) -> None:
    for collection in ("orders", REGENERATED):
        key = ended.kept(collection)
        ended.drop("target", collection, key)
        assert any(f"missing document: shop/{collection}/{key}" in text for text in ended.wrong())


def test_2_another_content_where_the_target_makes_its_own_revisions(ended: Ended) -> None:
    key = ended.kept(REGENERATED)
    where = {"database": SHOP.name, "collection": REGENERATED, "key": key}
    ended.world.control("target").fault("alter_document", **where, body={"spoilt": True})
    assert any(f"other body: shop/{REGENERATED}/{key}" in text for text in ended.wrong())


def test_2_another_number_of_shards_than_the_run_asked_for(ended: Ended) -> None:
    asked = ended.world.scenario
    ended.world.scenario = replace(asked, layout={f"{SHOP.name}/{REGENERATED}": 6})
    assert any(f"collection: shop/{REGENERATED}: source {{'shard_count': 6}}" in text for text in ended.wrong())
    ended.world.scenario = asked


@pytest.mark.parametrize("collection", ["ledger", REGENERATED])
def test_2_what_the_fenced_source_lost_by_itself_is_no_difference(ended: Ended, collection: str) -> None:
    """Only if the target has what was acknowledged."""
    key = ended.kept(collection)
    ended.drop("source", collection, key)
    assert any(f"shop/{collection}/{key}" in text for text in ended.wrong())
    ended.world.forgetful.add((SHOP.name, collection))
    ended.world.forgot_fenced.add((SHOP.name, collection))
    assert not any(f"shop/{collection}/{key}" in text for text in ended.wrong())
    ended.world.forgetful.clear()
    ended.world.forgot_fenced.clear()


def test_3_an_acknowledged_write_that_is_on_neither_side(ended: Ended) -> None:
    """Both sides are equal: only the record of acknowledged writes shows it."""
    key = ended.kept("orders")
    for side in ("source", "target"):
        ended.drop(side, "orders", key)
    assert any(text.startswith(f"lost: lost before the fence: shop/orders/{key}") for text in ended.wrong())


def test_4_a_source_that_is_not_as_it_has_to_be(ended: Ended) -> None:
    ended.world.clusters.connect("source").database().set_mode("default")
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        overview = ended.world.control("source").get("/state/overview")["servers"].values()
        if not any(one["readonly"] for one in overview):
            break
        time.sleep(0.1)
    assert any("the source has to be readonly" in text for text in ended.wrong())


def test_5_a_target_that_takes_writes_without_a_decision(ended: Ended) -> None:
    ended.drop("target", "_cutover", "decision", "_system")
    world = ended.world
    world.prober = Prober(world.clusters, world.workload.record, WRITER)
    world.prober.start()
    deadline = time.monotonic() + 30
    while not world.prober.opened_early and time.monotonic() < deadline:
        time.sleep(0.1)
    world.prober.stop()
    wrong = ended.wrong()
    assert any("was written while the decision record was none" in text for text in wrong)
    assert any("the decision record says none after a cutover" in text for text in wrong)
