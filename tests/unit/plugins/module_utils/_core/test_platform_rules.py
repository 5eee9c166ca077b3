# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the platform's values mean (platform facts §1.4, §1.5, §5, §10)."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core import catalogue
from ansible_collections.cutover.arangodb.plugins.module_utils._core import platform_rules as rules


def test_numbers_may_be_texts_or_left_out() -> None:
    assert [rules.number(value) for value in ("1099511627776", 7, None, "", "x")] == [1 << 40, 7, 0, 0, 0]


def test_durations_and_moments() -> None:
    assert [rules.seconds(value) for value in ("3600s", "0.500s", None, "1h")] == [3600.0, 0.5, 0.0, 0.0]
    assert rules.moment("2026-11-23T08:00:00.123456789Z") == datetime(2026, 11, 23, 8, tzinfo=timezone.utc)
    assert rules.moment(None) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "info"), (1, "warning"), ("NOTIFICATION_SEVERITY_WARNING", "warning"), (2, "critical"),
     ("NOTIFICATION_SEVERITY_CRITICAL", "critical"), ("NOTIFICATION_SEVERITY_INFO", "info")],
)  # fmt: skip
def test_severities_by_name_or_number(value: object, text: str) -> None:
    assert rules.severity(value) == text


def test_both_spellings_of_names_are_one() -> None:
    camel = {"isPaused": True, "status": {"serverVersions": ["3.12"], "servers": [{"isLeader": True}]}}
    proto = {"is_paused": True, "status": {"server_versions": ["3.12"], "servers": [{"is_leader": True}]}}
    assert rules.with_proto_names(camel) == rules.with_proto_names(proto) == proto


def test_every_grpc_code_has_a_meaning_in_the_catalogue() -> None:
    assert {rules.meaning(code) for code in range(1, 17)} <= set(catalogue.ENTRIES)
    assert rules.meaning(16) == "CUT-PLATFORM-2"
    assert rules.meaning(None) == "CUT-PLATFORM-8"


def test_permissions_that_are_missing_are_named_by_need() -> None:
    everything = {name for names in rules.PERMISSIONS.values() for name in names}
    assert rules.missing_permissions(everything) == {"migration": [], "backup": [], "resume": []}
    lacking = rules.missing_permissions(everything - {"crypto.cacertificate.get", "data.deployment.resume"})
    assert lacking == {"migration": ["crypto.cacertificate.get"], "backup": [], "resume": ["data.deployment.resume"]}


@pytest.mark.parametrize(
    ("ranges", "address", "verdict"),
    [
        (None, "203.0.113.9", "allowed"),
        ([], "203.0.113.9", "blocked"),
        (["203.0.113.0/24"], "203.0.113.9", "allowed"),
        (["203.0.113.0/24 // office"], "203.0.113.9", "allowed"),
        (["# all of them", "203.0.113.9"], "203.0.113.9", "allowed"),
        (["2001:db8::/32"], "2001:db8::7", "allowed"),
        (["2001:db8::/32"], "203.0.113.9", "blocked"),
        (["something else"], "203.0.113.9", "unknown"),
    ],
)
def test_what_an_allowlist_lets_in(ranges: list[str] | None, address: str, verdict: str) -> None:
    assert rules.allowlist_verdict(ranges, address) == verdict


def test_parts_of_a_resource() -> None:
    assert rules.parts_of_url("/Organization/o/Project/p/Deployment/d") == ("o", "p", "d")
    assert rules.parts_of_url("https://x.arangodb.cloud:8529") is None
