# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Secrets never survive in texts."""

from __future__ import annotations

import base64
import json
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.cutover.arangodb.plugins.module_utils._core import redact
from ansible_collections.cutover.arangodb.plugins.module_utils._core.jwt import mint


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("Authorization: bearer abcdefgh.ijkl.mnop", "abcdefgh"),
        ("authorization: Basic cm9vdDpnZWhlaW0=", "cm9vdDpnZWhlaW0"),
        ("see https://root:geheim@host:8529/x", "geheim"),
        ('{"password": "ge\\"heim", "a": 1}', "heim"),
        ("target_password=geheim next", "geheim"),
        ("--target.password=geheim next", "geheim"),
        ("--agent.token=geheim next", "geheim"),
        ("target_password: geheim", "geheim"),
        ("x-token: geheim", "geheim"),
        (f"token was {mint(b's', now=0, lifetime=1)}", "eyJ"),
    ],
)
def test_what_looks_like_a_credential_is_masked(text: str, gone: str) -> None:
    masked = redact.redact(text)
    assert gone not in masked
    assert redact.MASK in masked


def test_ordinary_texts_stay_as_they_are() -> None:
    for text in (
        "target coordinator https://db:8529: POST /_api/document/c answered 409, errorNum 1210: unique constraint",
        "target_password: is required (CUT-SPEC-3).",
        "target_password: must be a text",
        "agent_token_path: reading /run/cutover/token: Permission denied",
        "reading /etc/cutover-arangodb/source.jwt: No such file or directory",
    ):
        assert redact.redact(text) == text


@given(st.text(min_size=4, max_size=40))
def test_registered_secrets_are_masked_in_every_form(secret: str) -> None:
    redactor = redact.Redactor()
    redactor.register(secret)
    raw = secret.encode()
    for form in (
        secret,
        json.dumps(secret)[1:-1],
        urllib.parse.quote(raw, safe=""),
        base64.b64encode(raw).decode(),
    ):
        assert redactor.redact(f"<{form}>") == f"<{redact.MASK}>"


def test_very_short_values_do_not_destroy_texts() -> None:
    redactor = redact.Redactor()
    redactor.register("a")
    assert redactor.redact("a man") == "a man"


def test_the_shared_registry() -> None:
    redact.register_secret("korrektes-pferd")
    assert redact.redact("x korrektes-pferd y") == f"x {redact.MASK} y"
