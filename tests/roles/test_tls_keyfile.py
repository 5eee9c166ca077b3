# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The task `tls_keyfile`: what it says it would do is what it does, and it keeps what it replaces when told to."""

from __future__ import annotations

import stat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.cutover.arangodb.plugins.action.tls_keyfile import ActionModule

Result = dict[str, Any]


def run(check: bool = False, **options: Any) -> Result:
    """The task's result; no key is ever part of it."""
    task = SimpleNamespace(args=options, async_val=0, check_mode=check, diff=True, action="tls_keyfile")
    connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir="/nowhere"))
    action = ActionModule(task, connection, None, None, None, None)
    action._load_name = "tls_keyfile"
    result: Result = action.run(None, {})
    assert "PRIVATE" not in str(result)
    return result


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """The keyfile of a CA."""
    path = tmp_path / "ca.keyfile"
    assert run(dest=str(path), kind="ca", common_name="ours")["reason"] == "missing"
    return path


def server(authority: Path, **changes: Any) -> dict[str, Any]:
    names = ["agent.example.com"]
    dest = str(authority.with_name("agent.keyfile"))
    return {"dest": dest, "subject_alt_names": names, "ca_keyfile": str(authority), **changes}


def held(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


LADDER: tuple[tuple[str, bytes | None, dict[str, Any]], ...] = (
    ("missing", None, {}),
    ("unparsable", b"-----BEGIN CERTIFICATE-----", {}),
    ("parameters", b"", {"key_type": "ed25519"}),
    ("expiring", b"", {"valid_days": 400, "renew_before": 398}),
    ("forced", b"", {"force": True}),
)


@pytest.mark.parametrize(("reason", "content", "changes"), LADDER, ids=[rung[0] for rung in LADDER])
def test_check_do_again(authority: Path, reason: str, content: bytes | None, changes: dict[str, Any]) -> None:
    """Empty content: a good keyfile is there. In check mode the same is said, and nothing is touched."""
    dest = authority.with_name("agent.keyfile")
    if content == b"":
        run(**server(authority))
    elif content is not None:
        dest.write_bytes(content)
    before = held(authority.parent)
    checked = run(check=True, **server(authority, **changes))
    assert (checked["changed"], checked["reason"]) == (True, reason)
    assert held(authority.parent) == before

    done = run(**server(authority, **changes))
    assert (done["changed"], done["reason"], done["backup_file"]) == (True, reason, None)
    assert done["diff"]["before"] == checked["diff"]["before"]
    assert done["diff"]["after"]["subject_alt_names"] == ["agent.example.com"]
    assert dest.read_bytes() != before.get(dest.name)
    assert stat.S_IMODE(dest.stat().st_mode) == 0o600
    assert set(held(authority.parent)) == {authority.name, dest.name}

    if reason == "forced":
        return
    again = run(**server(authority, **changes))
    assert (again["changed"], again["reason"]) == (False, "fine")
    assert again["diff"]["before"] == again["diff"]["after"]


def test_what_is_replaced_is_kept_when_told_to(authority: Path) -> None:
    dest = authority.with_name("agent.keyfile")
    first = run(**server(authority, backup=True))
    assert first["backup_file"] is None
    before = dest.read_bytes()
    assert run(check=True, **server(authority, backup=True, force=True))["backup_file"] is None
    second = run(**server(authority, backup=True, force=True))
    kept = Path(second["backup_file"])
    assert kept.read_bytes() == before != dest.read_bytes()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert run(**server(authority, backup=True))["backup_file"] is None


def test_other_permissions_are_put_right(authority: Path) -> None:
    dest = authority.with_name("agent.keyfile")
    run(**server(authority))
    before = dest.read_bytes()
    dest.chmod(0o644)
    result = run(**server(authority))
    assert (result["changed"], result["reason"]) == (True, "files")
    assert (dest.read_bytes(), stat.S_IMODE(dest.stat().st_mode)) == (before, 0o600)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"ca_keyfile": None}, "ca_keyfile is needed for kind=server"),
        ({"ca_keyfile": "/nowhere/ca.keyfile"}, "ca_keyfile names /nowhere/ca.keyfile, which is not there"),
        ({"subject_alt_names": []}, "common_name is needed where subject_alt_names names nothing"),
        ({"subject_alt_names": ["a b"]}, "subject_alt_names"),
        ({"valid_days": 30}, "valid_days is 30, which is not more than renew_before (30)"),
        ({"renew_before": -1}, "renew_before is a number of days, 0 or more"),
        ({"kind": "ca", "common_name": "x"}, "ca_keyfile is not for kind=ca"),
        ({"common_name": "x" * 65}, "common_name has more than 64 characters"),
    ],
)
def test_what_cannot_be_is_refused_by_name(authority: Path, changes: dict[str, Any], says: str) -> None:
    before = held(authority.parent)
    refused = run(**server(authority, **changes))
    assert refused["failed"] is True
    assert says in refused["msg"]
    assert held(authority.parent) == before
