# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Endpoints: the forms that are taken, and those that are refused without repeating a password."""

from __future__ import annotations

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core.endpoint import (
    Endpoint,
    parse_endpoint,
    parse_endpoints,
)
from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://db.example:8530", "https://db.example:8530"),
        ("HTTPS://DB.Example/", "https://db.example:8529"),
        ("http://10.0.0.1", "http://10.0.0.1:8529"),
        ("tcp://h:1", "http://h:1"),
        ("ssl://h:65535", "https://h:65535"),
        ("http+ssl://h:1", "https://h:1"),
        ("ssl://[::1]:8529", "https://[::1]:8529"),
        (" https://h:1 ", "https://h:1"),
    ],
)
def test_forms_that_are_taken(text: str, url: str) -> None:
    assert parse_endpoint(text, "source_endpoints").url == url


def test_an_ipv6_host_is_kept_without_brackets() -> None:
    endpoint = parse_endpoint("https://[2001:DB8::1]:1", "x")
    assert endpoint == Endpoint("https", "2001:db8::1", 1)
    assert endpoint.origin == "[2001:db8::1]:1"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("https://root:geheim@h:1", "CUT-SPEC-902"),
        ("root:geheim@h", "CUT-SPEC-902"),
        ("h:8529", "CUT-SPEC-903"),
        ("", "CUT-SPEC-903"),
        ("vst://h:1", "CUT-SPEC-903"),
        ("https://h:1/_db/x", "CUT-SPEC-901"),
        ("https://h:1?x=1", "CUT-SPEC-901"),
        ("https://h:0", "CUT-SPEC-901"),
        ("https://h:70000", "CUT-SPEC-901"),
        ("https://", "CUT-SPEC-901"),
        ("https://h h:1", "CUT-SPEC-901"),
        ("https://h:1\nX", "CUT-SPEC-901"),
        ("https://::1:1", "CUT-SPEC-901"),
        (17, "CUT-SPEC-901"),
    ],
)
def test_forms_that_are_refused(text: str, code: str) -> None:
    with pytest.raises(CutoverError) as caught:
        parse_endpoint(text, "target_endpoints")
    assert caught.value.code == code
    assert caught.value.message.startswith("target_endpoints: ")
    assert caught.value.details == {"field": "target_endpoints"}
    assert "geheim" not in str(caught.value)


def test_lists_keep_the_order_and_drop_repetitions() -> None:
    urls = [one.url for one in parse_endpoints(["https://b:1", "https://a:1", "ssl://b:1"], "x")]
    assert urls == ["https://b:1", "https://a:1"]
    assert [one.url for one in parse_endpoints("https://b:1", "x")] == ["https://b:1"]


def test_an_empty_list_is_refused() -> None:
    with pytest.raises(CutoverError) as caught:
        parse_endpoints([], "source_endpoints")
    assert caught.value.code == "CUT-SPEC-904"
