# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The start request: every field is checked, and every refusal names it."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError
from ansible_collections.cutover.arangodb.plugins.module_utils._engine import spec

GOOD: dict[str, Any] = {
    "source_endpoints": ["ssl://a.example:8529", "https://b.example:8529"],
    "target_endpoints": "https://t.example:18529",
    "target_password": "very secret",
}

WINDOW = {"from": "08:00", "to": "18:00", "days": ["tue", "mon"], "mb_per_second": 5, "time_zone": "Europe/Berlin"}


def test_defaults() -> None:
    """What is not given, or null, is as documented."""
    parsed = spec.parse({**GOOD, "source_ca_path": None})
    assert [item.url for item in parsed.source_endpoints] == ["https://a.example:8529", "https://b.example:8529"]
    assert (parsed.target_username, parsed.users) == ("root", "copy")
    assert (parsed.max_downtime, parsed.settle_after) == (300, 300)
    assert (parsed.overwrite_target, parsed.early_readers, parsed.wait_timeout) == (False, False, 0)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("source_endpoints", [], "CUT-SPEC-904"),
        ("source_endpoints", ["https://u:p@a.example"], "CUT-SPEC-902"),
        ("source_endpoints", 5, "CUT-SPEC-1"),
        ("target_endpoints", ["t.example:8529"], "CUT-SPEC-903"),
        ("target_endpoints", ["https://a.example:8529"], "CUT-SPEC-4"),
        ("target_password", 5, "CUT-SPEC-1"),
        ("target_username", "", "CUT-SPEC-1"),
        ("target_ca_pem", "/etc/ca.pem", "CUT-SPEC-1"),
        ("target_ca_pem", 5, "CUT-SPEC-1"),
        ("overwrite_target", "yes", "CUT-SPEC-1"),
        ("replace_completed", 5, "CUT-SPEC-1"),
        ("replace_completed", "", "CUT-SPEC-1"),
        ("replace_completed", "an-id", "CUT-SPEC-4"),
        ("users", "restore", "CUT-SPEC-1"),
        ("max_downtime", 0, "CUT-SPEC-1"),
        ("max_lag", -1, "CUT-SPEC-1"),
        ("max_lag", True, "CUT-SPEC-1"),
        ("settle_after", "5", "CUT-SPEC-1"),
        ("accept", [{"id": "x"}], "CUT-SPEC-1"),
        ("accept", "x", "CUT-SPEC-1"),
        ("endpoint_map", ["x"], "CUT-SPEC-1"),
        ("endpoint_map", {"PRMR-1": "nowhere"}, "CUT-SPEC-903"),
        ("allowed_servers", "host", "CUT-SPEC-1"),
        ("name", "x" * 101, "CUT-SPEC-1"),
        ("include", "shop", "CUT-SPEC-1"),
        ("include", [5], "CUT-SPEC-1"),
        ("include", ["shop/a/b"], "CUT-SPEC-1"),
        ("include", ["/a"], "CUT-SPEC-1"),
        ("exclude", ["shop/"], "CUT-SPEC-1"),
        ("exclude", [""], "CUT-SPEC-1"),
        ("exclude", ["*"], "CUT-SPEC-4"),
        ("replication_factor", 3, "CUT-SPEC-1"),
        ("replication_factor", {"shop": 0}, "CUT-SPEC-1"),
        ("replication_factor", {"shop": 101}, "CUT-SPEC-1"),
        ("replication_factor", {"shop": True}, "CUT-SPEC-1"),
        ("replication_factor", {"shop": "satellite"}, "CUT-SPEC-1"),
        ("replication_factor", {"shop/": 2}, "CUT-SPEC-1"),
        ("write_concern", {"shop": 1.5}, "CUT-SPEC-1"),
        ("write_concern", {5: 1}, "CUT-SPEC-1"),
        ("number_of_shards", 3, "CUT-SPEC-1"),
        ("number_of_shards", {"shop": 0}, "CUT-SPEC-1"),
        ("number_of_shards", {"shop": 1001}, "CUT-SPEC-1"),
        ("number_of_shards", {"shop": "3"}, "CUT-SPEC-1"),
        ("number_of_shards", {"/a": 3}, "CUT-SPEC-1"),
        ("rev_policy", "regenerate", "CUT-SPEC-1"),
        ("rev_policy", {"shop": "new"}, "CUT-SPEC-1"),
        ("rev_policy", {"shop": True}, "CUT-SPEC-1"),
        ("rev_policy", {"shop/a/b": "keep"}, "CUT-SPEC-1"),
        ("compress", "gzip", "CUT-SPEC-1"),
        ("compress", True, "CUT-SPEC-1"),
        ("exclude", ["*/*"], "CUT-SPEC-4"),
        ("load", "slow", "CUT-SPEC-1"),
        ("load", ["fast"], "CUT-SPEC-1"),
        ("mb_per_second", -1, "CUT-SPEC-1"),
        ("mb_per_second", "5", "CUT-SPEC-1"),
        ("operations_per_second", True, "CUT-SPEC-1"),
        ("copiers", 0, "CUT-SPEC-1"),
        ("copiers", 33, "CUT-SPEC-1"),
        ("copiers", 1.5, "CUT-SPEC-1"),
        ("verify_rate", 0, "CUT-SPEC-1"),
        ("windows", {"from": "08:00"}, "CUT-SPEC-1"),
        ("windows", ["08:00"], "CUT-SPEC-1"),
        ("windows", [{"from": "08:00", "to": "08:00", "mb_per_second": 1}], "CUT-SPEC-1"),
        ("windows", [{"from": "24:00", "to": "08:00", "mb_per_second": 1}], "CUT-SPEC-1"),
        ("windows", [{"from": "22:00", "to": "8:00", "mb_per_second": 1}], "CUT-SPEC-1"),
        ("windows", [{"from": "22:00", "to": "08:00", "mb_per_second": 0}], "CUT-SPEC-1"),
        ("windows", [{"from": "22:00", "to": "08:00"}], "CUT-SPEC-1"),
        ("windows", [{"from": "22:00", "to": "08:00", "mb_per_second": 1, "days": ["monday"]}], "CUT-SPEC-1"),
        ("windows", [{"from": "22:00", "to": "08:00", "mb_per_second": 1, "days": []}], "CUT-SPEC-1"),
        ("windows", [{"from": "22:00", "to": "08:00", "mb_per_second": 1, "time_zone": "Berlin"}], "CUT-SPEC-1"),
        ("windows", [{"from": "22:00", "to": "08:00", "mb_per_second": 1, "time_zone": "../x"}], "CUT-SPEC-1"),
        ("windows", [{"from": "22:00", "to": "08:00", "mb_per_second": 1, "time_zone": 5}], "CUT-SPEC-1"),
        ("windows", [{"from": "22:00", "to": "08:00", "mb_per_second": 1, "rate": 5}], "CUT-SPEC-1"),
        ("nonsense", 1, "CUT-SPEC-2"),
    ],
)
def test_refusals_name_the_field(field: str, value: object, code: str) -> None:
    """One bad field at a time."""
    with pytest.raises(CutoverError) as refused:
        spec.parse({**GOOD, field: value})
    assert refused.value.code == code
    assert refused.value.details["field"] == field
    assert field in str(refused.value)
    assert "very secret" not in str(refused.value)


@pytest.mark.parametrize("field", spec.REQUIRED)
def test_required_fields(field: str) -> None:
    """Missing or null."""
    for request in ({name: value for name, value in GOOD.items() if name != field}, {**GOOD, field: None}):
        with pytest.raises(CutoverError) as refused:
            spec.parse(request)
        assert (refused.value.code, refused.value.details["field"]) == ("CUT-SPEC-3", field)


def test_early_readers_need_users() -> None:
    """Fields that contradict each other."""
    with pytest.raises(CutoverError) as refused:
        spec.parse({**GOOD, "users": "skip", "early_readers": True})
    assert (refused.value.code, refused.value.details["field"]) == ("CUT-SPEC-4", "early_readers")
    assert spec.parse({**GOOD, "users": "recreate", "early_readers": True}).users == "recreate"


def test_a_pattern_that_is_included_and_excluded_is_refused() -> None:
    """Nobody can mean that; the allowed form is named where a pattern has another one."""
    with pytest.raises(CutoverError) as refused:
        spec.parse({**GOOD, "include": ["a", "b/c"], "exclude": ["b/c"]})
    assert (refused.value.code, refused.value.details["field"]) == ("CUT-SPEC-4", "exclude")
    with pytest.raises(CutoverError, match="DATABASE or DATABASE/COLLECTION"):
        spec.parse({**GOOD, "include": ["a/b/c"]})


def test_a_write_concern_above_the_copies_is_refused() -> None:
    """Of the same pattern; what another pattern gives is the prechecks' to find out."""
    with pytest.raises(CutoverError) as refused:
        spec.parse({**GOOD, "replication_factor": {"shop": 2}, "write_concern": {"shop": 3}})
    assert (refused.value.code, refused.value.details["field"]) == ("CUT-SPEC-4", "write_concern")
    assert spec.parse({**GOOD, "replication_factor": {"shop": 2}, "write_concern": {"shop": 2, "crm": 9}})


def test_the_digest_is_of_everything_but_the_credentials() -> None:
    """The same migration with a new password is the same migration."""
    parsed = spec.parse(GOOD)
    other = spec.parse({**GOOD, "target_password": "new", "target_username": "admin"})
    assert parsed.config_digest == other.config_digest
    assert parsed.with_credentials_of(other).target_password == "new"
    faster = spec.parse({**GOOD, "load": "fast", "copiers": 3, "windows": [WINDOW]})
    assert parsed.config_digest == faster.config_digest
    assert not parsed.differs_in(faster)
    assert parsed.with_credentials_of(faster).tuning == faster.tuning
    overwriting = spec.parse({**GOOD, "overwrite_target": True})
    replacing = spec.parse({**GOOD, "overwrite_target": True, "replace_completed": "an-id"})
    assert overwriting.config_digest == replacing.config_digest
    for field, value in (("max_lag", 9), ("overwrite_target", True), ("accept", [{"id": "a", "reason": "b"}])):
        assert spec.parse({**GOOD, field: value}).config_digest != parsed.config_digest


def test_a_specification_survives_the_state_directory_and_shows_no_secret() -> None:
    """What is written there gives the same specification again."""
    parsed = spec.parse(
        {
            **GOOD,
            "accept": [{"id": "a", "reason": "b"}],
            "endpoint_map": {"ssl://10.0.0.1:8529": "https://x:1"},
            "include": ["shop", "crm/a*"],
            "exclude": ["shop/b"],
            "replication_factor": {"shop": 3, "shop/a*": 2},
            "write_concern": {"shop": 2},
            "number_of_shards": {"shop/a": 3},
            "rev_policy": {"shop": "keep", "shop/a": "regenerate"},
            "load": "gentle",
            "mb_per_second": 0,
            "windows": [WINDOW],
        }
    )
    assert spec.parse(parsed.as_request()) == parsed
    assert parsed.accepted == {"a": "b"}
    assert "very secret" not in str(parsed.public()) + repr(parsed)


@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [
        ("number_of_shards", {"shop": 0}, "shop: must be a whole number from 1 to 1000"),
        ("rev_policy", {"shop": "new"}, "shop: must be keep or regenerate"),
        ("rev_policy", [], "must map patterns to keep or regenerate"),
    ],
)
def test_refusals_of_the_layout_name_what_is_allowed(field: str, value: object, allowed: str) -> None:
    with pytest.raises(CutoverError) as refused:
        spec.parse({**GOOD, field: value})
    assert allowed in refused.value.message


def test_another_layout_is_another_migration() -> None:
    digests = {
        spec.parse({**GOOD, **changes}).config_digest
        for changes in ({}, {"number_of_shards": {"a": 2}}, {"rev_policy": {"a": "keep"}})
    }
    assert len(digests) == 3


def test_options_of_control_requests() -> None:
    """Unknown ones are refused."""
    assert spec.parse_options({"wait_timeout": 5, "max_downtime": None}, spec.STOP_OPTIONS) == {"wait_timeout": 5.0}
    with pytest.raises(CutoverError) as refused:
        spec.parse_options({"force": True}, spec.STOP_OPTIONS)
    assert refused.value.code == "CUT-SPEC-2"
    with pytest.raises(CutoverError):
        spec.parse([])
