# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The configuration file: everything wrong is named before anything is opened."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._agent.config import load_config, parse_config
from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError

GOOD: dict[str, Any] = {"tls_keyfile": "/k", "state_directory": "/s", "source_jwt_secret_path": "/j"}
WEBHOOK = {"url": "https://eda.example.com/agent?x=1", "secret_path": "/w"}
TOKEN = {"name": "ops", "sha256": "a" * 64, "role": "read"}


def test_defaults() -> None:
    config = parse_config(GOOD)
    assert (config.listen_host, config.port, config.tokens, config.allowed_sources) == ("127.0.0.1", 8629, (), None)


def test_null_is_absent_where_absence_means_something() -> None:
    config = parse_config({**GOOD, "client_ca": None, "allowed_sources": None, "allowed_targets": []})
    assert (config.client_ca, config.allowed_sources, config.allowed_targets) == (None, None, ())


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"prot": 1}, "prot"),
        ({"port": "8629"}, "port"),
        ({"port": True}, "port"),
        ({"port": 65536}, "port"),
        ({"port": None}, "port"),
        ({"listen_host": ""}, "listen_host"),
        ({"listen_host": 1}, "listen_host"),
        ({"tls_keyfile": "relative"}, "tls_keyfile"),
        ({"tls_keyfile": None}, "tls_keyfile"),
        ({"state_directory": 3}, "state_directory"),
        ({"time_scale": 0}, "time_scale"),
        ({"time_scale": 2}, "time_scale"),
        ({"log_format": "xml"}, "log_format"),
        ({"allowed_sources": "https://a"}, "allowed_sources"),
        ({"allowed_sources": [1]}, "allowed_sources[0]"),
        ({"webhook": "https://eda.example.com"}, "webhook"),
        ({"webhook": {"url": "https://eda.example.com"}}, "webhook.secret_path"),
        ({"webhook": {"secret_path": "/w"}}, "webhook.url"),
        ({"webhook": {**WEBHOOK, "token": "x"}}, "webhook.token"),
        ({"webhook": {**WEBHOOK, "url": 3}}, "webhook.url"),
        ({"webhook": {**WEBHOOK, "url": "eda.example.com"}}, "webhook.url"),
        ({"webhook": {**WEBHOOK, "url": "ftp://eda.example.com"}}, "webhook.url"),
        ({"webhook": {**WEBHOOK, "url": "http://eda.example.com/"}}, "webhook.url"),
        ({"webhook": {**WEBHOOK, "url": "https://user:word@eda.example.com/"}}, "webhook.url"),
        ({"webhook": {**WEBHOOK, "url": "https://eda.example.com:0/"}}, "webhook.url"),
        ({"webhook": {**WEBHOOK, "url": "https://eda.example.com:x/"}}, "webhook.url"),
        ({"webhook": {**WEBHOOK, "url": "https://eda.example.com/#x"}}, "webhook.url"),
        ({"webhook": {**WEBHOOK, "url": "https://eda.example.com/a b"}}, "webhook.url"),
        ({"webhook": {**WEBHOOK, "url": "https:///path"}}, "webhook.url"),
        ({"webhook": {**WEBHOOK, "secret_path": "w"}}, "webhook.secret_path"),
        ({"webhook": {**WEBHOOK, "ca": "ca.pem"}}, "webhook.ca"),
        ({"webhook": {**WEBHOOK, "url": "http://127.0.0.1:1/", "ca": "/c"}}, "webhook.ca"),
        ({"webhook": {**WEBHOOK, "timeout": 0}}, "webhook.timeout"),
        ({"webhook": {**WEBHOOK, "timeout": 61}}, "webhook.timeout"),
        ({"webhook": {**WEBHOOK, "timeout": True}}, "webhook.timeout"),
        ({"webhook": {**WEBHOOK, "max_lag": 0}}, "webhook.max_lag"),
        ({"clients": [], "client_ca": None}, "clients"),
        ({"clients": {}, "client_ca": "/c"}, "clients"),
        ({"clients": [{"subject": "ops"}], "client_ca": "/c"}, "clients[0]"),
        ({"clients": [{"subject": "ops", "role": "root"}], "client_ca": "/c"}, "clients[0].role"),
        ({"clients": [{"subject": " ", "role": "read"}], "client_ca": "/c"}, "clients[0].subject"),
        ({"clients": [{"subject": "ops", "role": "read"}] * 2, "client_ca": "/c"}, "clients"),
        ({"tokens": {}}, "tokens"),
        ({"tokens": [{**TOKEN, "secret": "x"}]}, "tokens[0].secret"),
        ({"tokens": [{**TOKEN, "sha256": "A" * 64}]}, "tokens[0].sha256"),
        ({"tokens": [{**TOKEN, "role": "root"}]}, "tokens[0].role"),
        ({"tokens": [TOKEN, {**TOKEN, "sha256": "b" * 64}]}, "tokens"),
        ({"tokens": [TOKEN, {**TOKEN, "name": "other"}]}, "tokens"),
    ],
)
def test_a_wrong_field_is_named(change: dict[str, Any], field: str) -> None:
    with pytest.raises(CutoverError) as caught:
        parse_config({**GOOD, **change})
    assert (caught.value.code, caught.value.details["field"]) == ("CUT-AGENT-2", field)


def test_a_webhook() -> None:
    webhook = parse_config({**GOOD, "webhook": {**WEBHOOK, "ca": None, "timeout": 5}}).webhook
    assert webhook is not None
    assert (webhook.endpoint.url, webhook.target) == ("https://eda.example.com:443", "/agent?x=1")
    assert (webhook.ca, webhook.timeout, webhook.max_lag) == (None, 5.0, 300.0)
    loopback = parse_config({**GOOD, "webhook": {**WEBHOOK, "url": "http://[::1]:5000"}}).webhook
    assert loopback is not None
    assert (loopback.endpoint.url, loopback.target) == ("http://[::1]:5000", "/")
    assert parse_config({**GOOD, "webhook": None}).webhook is None


def test_the_address_of_a_webhook_is_not_repeated() -> None:
    """It is often a secret itself."""
    with pytest.raises(CutoverError) as caught:
        parse_config({**GOOD, "webhook": {**WEBHOOK, "url": "http://eda.example.com/hush"}})
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("missing", sorted(GOOD))
def test_a_missing_field_is_named(missing: str) -> None:
    with pytest.raises(CutoverError, match=missing):
        parse_config({name: value for name, value in GOOD.items() if name != missing})


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "agent.example.com"])
def test_listening_beyond_loopback_needs_tokens_or_client_certificates(host: str) -> None:
    with pytest.raises(CutoverError) as caught:
        parse_config({**GOOD, "listen_host": host})
    assert caught.value.code == "CUT-AGENT-5"
    assert parse_config({**GOOD, "listen_host": host, "tokens": [TOKEN]}).authenticates
    assert parse_config({**GOOD, "listen_host": host, "client_ca": "/ca"}).authenticates


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.53", "::1", "localhost"])
def test_loopback_may_be_open(host: str) -> None:
    assert not parse_config({**GOOD, "listen_host": host}).authenticates


def test_files_that_are_no_configuration(tmp_path: Path) -> None:
    path = tmp_path / "agent.json"
    with pytest.raises(CutoverError, match="No such file"):
        load_config(path)
    for text in ("{", "\xff", "x" * (2 << 20)):
        path.write_text(text, encoding="latin-1")
        with pytest.raises(CutoverError) as caught:
            load_config(path)
        assert caught.value.code == "CUT-AGENT-1"
    path.write_text("[]")
    with pytest.raises(CutoverError, match="one JSON object"):
        load_config(path)
    path.write_text('{"port": 1, "port": 2}')
    with pytest.raises(CutoverError, match="appears twice"):
        load_config(path)


def test_overrides_are_checked_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "agent.json"
    path.write_text(json.dumps(GOOD))
    assert load_config(path, {"port": 1}).port == 1
    with pytest.raises(CutoverError, match="others can reach"):
        load_config(path, {"listen_host": "0.0.0.0"})
