# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How long a wrong token takes to be refused tells nothing about the right ones."""

from __future__ import annotations

import hmac
from pathlib import Path

import pytest

from ansible_collections.cutover.arangodb.plugins.module_utils._agent.auth import Authenticator
from ansible_collections.cutover.arangodb.plugins.module_utils._agent.messages import Request
from tests.unit.agent_fakes import TOKENS, Certificates, agent_config


@pytest.mark.parametrize("token", [*TOKENS.values(), "wrong", ""])
def test_every_token_is_compared_whichever_matches(
    certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    compared: list[tuple[str, str]] = []
    compare = hmac.compare_digest

    def counted(known: str, given: str) -> bool:
        compared.append((known, given))
        return compare(known, given)

    config = agent_config(certificates, tmp_path)
    monkeypatch.setattr(hmac, "compare_digest", counted)
    request = Request("GET", "/", {}, {"authorization": f"Bearer {token}"}, b"", "127.0.0.1:1", None)
    principal = Authenticator(config).principal(request, "read")
    assert (principal is None) == (token not in TOKENS.values())
    assert [known for known, _given in compared] == [item.sha256 for item in config.tokens]
    # Digests, all of one length: what is compared has nothing of the token itself.
    assert {len(given) for _known, given in compared} == {64}
