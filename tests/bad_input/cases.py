# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Start requests with one fault each, and what has to be said about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.bad_input.sites import Sites
from tests.tools.ports import free_port

__all__ = ["CASES", "SECRETS", "Case", "SecretFile"]

PRECHECK = "CUT-PRECHECK-2"
HIDDEN = "never-repeat-this"


@dataclass(frozen=True)
class Case:
    """``option`` must be named, ``says`` must be in the message and ``remedy`` in the remedy.

    ``check`` is the failed precheck, empty for what is refused before any server is asked.
    """

    name: str
    changes: Callable[[Sites], Mapping[str, Any]]
    option: str
    says: tuple[str, ...]
    remedy: str
    check: str = ""
    code: str = PRECHECK

    @property
    def http_status(self) -> int:
        """422 for a precheck, 400 for a field."""
        return 422 if self.code == PRECHECK else 400

    @property
    def exit_code(self) -> int:
        """3 for a precheck, 2 for wrong usage."""
        return 3 if self.code == PRECHECK else 2


@dataclass(frozen=True)
class SecretFile:
    """A file that is not the source's JWT secret; ``content`` None is no file at all."""

    name: str
    content: bytes | None
    says: str
    remedy: str
    check: str = "input-secret"
    code: str = ""


SECRETS = (
    SecretFile("missing", None, "No such file", "Give the path of the file", code="CUT-SECRET-1"),
    SecretFile("empty", b" \n", "is empty", "Copy the source cluster's JWT secret", code="CUT-SECRET-2"),
    SecretFile("too-long", b"x" * 65, "more than the 64 bytes", "--server.jwt-secret-keyfile", code="CUT-SECRET-3"),
    SecretFile(
        "wrong", b"the secret of another cluster", "refuses tokens made with this JWT secret",
        "Give the secret file of this very cluster", "source-jwt",
    ),
)  # fmt: skip


def _closed() -> str:
    """An endpoint on which nobody listens."""
    return f"https://127.0.0.1:{free_port()}"


def _coordinators(sites: Sites, side: str) -> list[str]:
    return (sites.source if side == "source" else sites.target).coordinators


def _of_endpoints(side: str) -> tuple[Case, ...]:
    """Wrong endpoints and certificates of one side."""
    field, ca_path = f"{side}_endpoints", f"{side}_ca_path"

    def rewritten(change: Callable[[str], str]) -> Callable[[Sites], Mapping[str, Any]]:
        return lambda sites: {field: [change(url) for url in _coordinators(sites, side)]}

    def foreign_ca(sites: Sites) -> Mapping[str, Any]:
        return {ca_path: str(sites.occupied.ca_path)}

    return (
        Case(
            f"{side}-with-credentials", rewritten(lambda url: url.replace("://", f"://root:{HIDDEN}@")), field,
            ("must not hold a user name or password",), "in their own options", code="CUT-SPEC-902",
        ),
        Case(
            f"{side}-without-scheme", rewritten(lambda url: url.partition("://")[2]), field,
            ("has no scheme", "127.0.0.1:"), "https://HOST:PORT", code="CUT-SPEC-903",
        ),
        Case(
            f"{side}-unreachable", lambda _sites: {field: [_closed()]}, field,
            ("Connection refused",), "Check host, port", f"{side}-reachable",
        ),
        Case(
            f"{side}-partly-unreachable", lambda sites: {field: [*_coordinators(sites, side), _closed()]}, field,
            ("Connection refused",), "Check host, port", f"{side}-reachable",
        ),
        Case(
            f"{side}-unverified", foreign_ca, ca_path, ("does not verify", "unable to get local issuer"),
            "Give the CA", f"{side}-certificate",
        ),
        Case(
            f"{side}-ca-missing", lambda _sites: {ca_path: "/nowhere/ca.pem"}, ca_path,
            ("/nowhere/ca.pem", "No such file"), "readable PEM file", f"input-{side}-ca",
        ),
    )  # fmt: skip


CASES = (
    *_of_endpoints("source"),
    *_of_endpoints("target"),
    Case(
        "source-plaintext",
        lambda sites: {"source_endpoints": [url.replace("https", "http") for url in sites.source.coordinators]},
        "source_endpoints", ("without TLS",), "allow_plaintext_source", "input-source-plaintext",
    ),
    Case(
        "target-password", lambda _sites: {"target_password": HIDDEN}, "target_password",
        ("refuses", "target_username root"), "Correct target_username and target_password", "target-credentials",
    ),
    Case(
        "target-user", lambda _sites: {"target_username": "nobody"}, "target_username",
        ("refuses", "nobody"), "Correct target_username and target_password", "target-credentials",
    ),
    Case(
        "target-in-use",
        lambda sites: {
            "target_endpoints": sites.occupied.coordinators, "target_ca_path": str(sites.occupied.ca_path),
        },
        "overwrite_target",
        ("has data", "billing (1 collections, 7 documents)", "archive (1 collections, 3 documents)"),
        "set overwrite_target: true to destroy what the message lists", "target-empty",
    ),
    Case(
        "unknown-field", lambda _sites: {"overwrite": True}, "overwrite",
        ("is not a field of the start request", "overwrite_target"), "correct its name", code="CUT-SPEC-2",
    ),
    Case(
        "field-of-another-type", lambda _sites: {"overwrite_target": "yes"}, "overwrite_target",
        ("must be true or false",), "Correct the named field", code="CUT-SPEC-1",
    ),
    Case(
        "missing-field", lambda _sites: {"target_password": None}, "target_password",
        ("is required",), "Give the named field", code="CUT-SPEC-3",
    ),
    Case(
        "source-as-target",
        lambda sites: {
            "target_endpoints": sites.source.coordinators, "target_ca_path": str(sites.source.ca_path),
        },
        "target_endpoints", ("are the same server",), "Change one", code="CUT-SPEC-4",
    ),
)  # fmt: skip
