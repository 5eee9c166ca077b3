# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The comparison of two clusters says nothing about equal ones, and finds what is planted, kind by kind."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

import pytest
import requests

from tests.compare.whole import Comparison, compare
from tests.demo.clusters import Clusters
from tests.demo.flights import AVIATION
from tests.e2e.dataset import BIG, USERS, stock, tables
from tests.workload.schema import create_database, create_users

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def clusters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clusters]:
    """Two clusters with the same content, the documents' revisions included."""
    both = Clusters(tmp_path_factory.mktemp("comparison"))
    try:
        small = ((database, name, rows) for database, name, rows in tables(random.Random("x")) if name != BIG)
        both.fill((stock(random.Random("shape")), AVIATION), USERS, small)
        target = both.connect("target")
        for spec in (stock(random.Random("shape")), AVIATION):
            create_database(target, spec, replication_factor=2)
        create_users(target, USERS)
        for name in ("parts", "links", "places", "codes"):
            copy(both, name)
        yield both
    finally:
        both.stop()


def copy(clusters: Clusters, name: str) -> None:
    """Write the source's raw documents to the target, with their revisions."""
    lines = b"\n".join(raw for _rev, raw in clusters.source.control.documents("stock", name).values())
    target = clusters.target
    with requests.Session() as session:
        session.trust_env = False
        answer = session.put(
            f"{target.coordinators[0]}/_db/stock/_api/replication/restore-data", data=lines, timeout=30,
            params={"collection": name, "preserveRevisionIds": "true"}, auth=("root", target.root_password),
            verify=str(target.ca_path),
        )
    assert answer.status_code == 200, answer.text


def compared(clusters: Clusters) -> Comparison:
    return compare(clusters.side("source"), clusters.side("target"), {}, clusters.logins(USERS))


def test_equal_clusters_have_no_difference(clusters: Clusters) -> None:
    result = compared(clusters)
    assert [str(difference) for difference in result.differences] == []
    assert result.documents > 500


def plant_body(clusters: Clusters) -> None:
    clusters.target.control.fault("alter_document", database="stock", collection="parts", key="p1", body={"group": -1})


def plant_grant(clusters: Clusters) -> None:
    clusters.connect("target").database().update_permission("looker", "rw", "stock")


def plant_user(clusters: Clusters) -> None:
    clusters.connect("target").database().update_user("gone", active=True)


def plant_index(clusters: Clusters) -> None:
    index = {"type": "persistent", "fields": ["other"], "name": "planted"}
    clusters.connect("target").database("stock").collection("links").add_index(index)


def plant_collection(clusters: Clusters) -> None:
    clusters.connect("target").database("stock").create_collection("planted")


def plant_graph(clusters: Clusters) -> None:
    clusters.connect("target").database("stock").delete_graph("assembly")


def plant_view(clusters: Clusters) -> None:
    clusters.connect("target").database("aviation").replace_arangosearch_view("airport_search", {"links": {}})


def plant_analyzer(clusters: Clusters) -> None:
    clusters.connect("target").database("aviation").create_analyzer("planted", "identity")


@pytest.mark.parametrize(
    ("plant", "kind"),
    [
        (plant_body, "other body"), (plant_grant, "grant"), (plant_user, "user"), (plant_user, "login"),
        (plant_index, "index"), (plant_collection, "collection"), (plant_graph, "graph"), (plant_view, "view"),
        (plant_analyzer, "analyzer"),
    ],
)
def test_each_planted_difference_is_found(clusters: Clusters, plant: Callable[[Clusters], None], kind: str) -> None:
    try:
        plant(clusters)
    finally:
        found = {difference.kind for difference in compared(clusters).differences}
    assert kind in found
