# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Superuser tokens and secret files (facts §1.1)."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._core import jwt
from ansible_collections.cutover.arangodb.plugins.module_utils._core.errors import CutoverError


def hs256_by_hand(secret: bytes, signed: bytes) -> bytes:
    """RFC 2104 written out: the server pads the secret with zero bytes to the block of 64."""
    block = secret.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block) + signed).digest()
    return hashlib.sha256(bytes(byte ^ 0x5C for byte in block) + inner).digest()


def unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@pytest.mark.parametrize("secret", [b"s", b"secret" * 5, b"\x00\xff" * 32])
def test_token_against_a_signature_made_by_hand(secret: bytes) -> None:
    token = jwt.mint(secret, now=1_700_000_000.9, lifetime=60, allowed_paths=["/_admin/server/id"])
    head, claims, signature = token.split(".")
    assert json.loads(unpadded(head)) == {"alg": "HS256", "typ": "JWT"}
    assert json.loads(unpadded(claims)) == {
        "iss": "arangodb",
        "server_id": "cutover",
        "exp": 1_700_000_060,
        "allowed_paths": ["/_admin/server/id"],
    }
    assert unpadded(signature) == hs256_by_hand(secret, f"{head}.{claims}".encode())
    assert "=" not in token


def test_token_is_good_for_all_paths_unless_limited() -> None:
    claims = json.loads(unpadded(jwt.mint(b"s", now=0, lifetime=60).split(".")[1]))
    assert "allowed_paths" not in claims
    assert "preferred_username" not in claims


class Wall:
    now = 1000.0

    def wall(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now


def test_a_source_renews_at_half_life_and_after_a_clock_change() -> None:
    clock = Wall()
    source = jwt.TokenSource(b"s", lifetime=100, clock=clock)
    first = source()
    assert first.startswith("bearer ey")
    clock.now = 1049
    assert source() == first
    clock.now = 1050
    second = source()
    assert second != first
    clock.now = 900
    third = source()
    assert third not in (first, second)
    assert json.loads(unpadded(third.split(".")[1]))["exp"] == 1000


@pytest.mark.parametrize("content", [b"abc", b"abc\n", b" \t\r\nabc\r\n\n", b"x" * 64 + b"\n"])
def test_secret_is_trimmed_like_the_server_does(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "secret"
    path.write_bytes(content)
    assert jwt.load_secret(str(path)) == content.strip(b" \t\r\n")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "CUT-SECRET-2"),
        (b" \n\t\r", "CUT-SECRET-2"),
        (b"x" * 65, "CUT-SECRET-3"),
        (b"-----BEGIN EC PRIVATE KEY-----\nabc", "CUT-SECRET-4"),
        (None, "CUT-SECRET-1"),
    ],
)
def test_unusable_secret_files_name_the_file_but_not_the_content(
    tmp_path: Path, content: bytes | None, code: str
) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CutoverError) as caught:
        jwt.load_secret(str(path))
    assert caught.value.code == code
    assert str(path) in caught.value.message
    assert "source_jwt_secret_path" in caught.value.message
    assert "xxxx" not in str(caught.value)
    assert caught.value.remedy


def test_a_directory_is_no_secret_file(tmp_path: Path) -> None:
    with pytest.raises(CutoverError) as caught:
        jwt.load_secret(str(tmp_path))
    assert caught.value.code == "CUT-SECRET-1"
