# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every row of facts §10 has tests, or stands in docs/testbed.md as out of scope."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.testbed.fidelity import PAGE

HERE = Path(__file__).parent
# The facts are not part of the repository: beside it, or where this variable says.
FACTS = Path(os.environ.get("TESTBED_FACTS", HERE.parents[1].parent / "shared" / "facts" / "arangodb-http.md"))
TESTS = {
    "write concern error": ["test_write_concern_error"],
    "bulk write with bad key in cluster": ["test_bulk_write_with_a_bad_key"],
    "`/_api/dump` parallel": ["test_parallel_dump"],
    "tail/dump JSON doubles ≥ 2^53": [
        "test_large_doubles_in_dumps_and_logs",
        "test_only_large_doubles_are_printed_inexactly",
    ],
    "smart edge `numberOfShards`": ["test_smart_edges_have_hidden_collections"],
    "cluster truncate marker 2004": ["test_cluster_truncate_has_a_marker_of_its_own"],
    "default `replicationFactor` of new collections (`--cluster.default-replication-factor`)": [
        "test_default_replication_factor"
    ],
    "extended names (Unicode)": ["test_extended_names_of_databases", "test_extended_names_of_collections"],
    "replication applier endpoints, `make-follower`, `logger-follow`, `logger-first-tick`, `logger-tick-ranges`,"
    " `server-id`, `sync`": [
        "test_applier_and_old_logger",
        "test_copying_another_server",
        "test_a_configured_applier_does_not_run",
        "test_the_old_logger_shows_ids_of_collections",
    ],
    "`/_api/wal/range, lastTick, tail`": ["test_the_log_is_read_in_the_same_way"],
    "`/_api/wal/open-transactions`, `/_admin/wal/*`": ["test_open_transactions", "test_endpoints_removed_in_4"],
    "V8, Foxx (`_apps,_appbundles,_queues,_jobs,_modules,_routing`), UDFs (`_aqlfunctions`), `/_api/tasks`,"
    " JS transactions, web UI, `_statistics*`": [
        "test_system_collections",
        "test_endpoints_removed_in_4",
        "test_javascript_transactions",
    ],
    "`fulltext`, `geo1/geo2`, `hash`, `skiplist` index types": ["test_index_types"],
    "new index types": ["test_index_types", "test_vector_indexes_by_option"],
    "`overwrite` param, `minReplicationFactor`, `status`/`statusString`": [
        "test_overwrite_parameter",
        "test_properties_removed_in_4",
    ],
    "`/_admin/metrics/v2` (same as `/_admin/metrics` since 3.10), `/_admin/version`, `/_admin/job`, `PUT /_api/cursor`,"
    " `/_api/endpoint`, load/unload, `/_api/simple/*`": [
        "test_endpoints_removed_in_4",
        "test_jobs_under_their_old_name",
        "test_next_batch_of_a_cursor_by_put",
    ],
    "`--server.jwt-secret` on command line": ["test_secret_on_the_command_line"],
    "`/_admin/deployment/id`": ["test_deployment_id"],
    "`PUT /_admin/cluster/uniqId`": ["test_unique_ids"],
    "Community limits": ["test_license_of_community_builds"],
    "access tokens `/_api/token`": ["test_access_tokens"],
    "streaming transaction size": ["test_size_of_stream_transactions"],
    "error numbers": ["test_error_numbers_that_came_and_went"],
}
# Row → what stands under "Out of scope" in docs/testbed.md, where the reason is.
OUT_OF_SCOPE = {
    "active failover, DC2DC (arangosync), VST, LDAP, Pregel, little-endian keys": [
        "active failover",
        "arangosync",
        "VST",
        "LDAP",
        "Pregel",
        "little-endian keys",
    ],
    "`/_api/batch`": ["`/_api/batch`"],
    "string sort order in indexes": ["sort order of texts before 3.12.4"],
}


def test_every_row_that_is_tested_has_its_tests() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in HERE.glob("test_*.py"))
    found = set(re.findall(r"^def (test_\w+)", source, re.MULTILINE))
    assert {name for names in TESTS.values() for name in names} <= found


@pytest.mark.parametrize("row", OUT_OF_SCOPE)
def test_every_row_that_is_out_of_scope_is_described(row: str) -> None:
    section = PAGE.read_text(encoding="utf-8").partition("\n## Out of scope\n")[2].partition("\n## ")[0]
    assert [text for text in OUT_OF_SCOPE[row] if text not in section] == []


def test_no_row_of_the_facts_is_left_out() -> None:
    if not FACTS.exists():
        pytest.skip("the facts are not here: TESTBED_FACTS names arangodb-http.md")
    table = FACTS.read_text(encoding="utf-8").partition("\n## 10. ")[2].partition("\n## ")[0]
    rows = [line[2:].split(" | ")[0] for line in table.splitlines() if line.startswith("| ")]
    assert rows[0] == "topic"
    assert set(rows[1:]) == {*TESTS, *OUT_OF_SCOPE}
    assert not TESTS.keys() & OUT_OF_SCOPE.keys()
