# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which servers the agent's own configuration allows: a request chooses among them and adds none (design §3)."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Optional

from .._core.endpoint import Endpoint, parse_endpoint
from .._core.errors import CutoverError
from .spec import Spec

_WILD = frozenset("*?[")


@dataclass(frozen=True)
class Pins:
    """Hosts, host:port or whole endpoints, also as patterns; None allows any."""

    sources: Optional[Sequence[str]] = None
    targets: Optional[Sequence[str]] = None

    def check(self, spec: Spec) -> None:
        """Raise CUT-SPEC-5 for a field that names another server, or another one that a token may be sent to."""
        mapped = [parse_endpoint(url, "endpoint_map") for url in spec.endpoint_map.values()]
        _check_endpoints("source_endpoints", spec.source_endpoints, self.sources)
        _check_endpoints("endpoint_map", mapped, self.sources)
        _check_endpoints("target_endpoints", spec.target_endpoints, self.targets)
        for pattern in spec.allowed_servers if self.sources is not None else ():
            # A pattern may be wider than any pin that it matches itself.
            wild = bool(_WILD & set(pattern))
            if not _matches([pattern.lower()], self.sources or (), literally=wild):
                raise _refusal("allowed_servers", pattern)


UNPINNED = Pins()


def _check_endpoints(field: str, endpoints: Iterable[Endpoint], allowed: Optional[Sequence[str]]) -> None:
    for endpoint in endpoints if allowed is not None else ():
        if not _matches((endpoint.host, endpoint.origin, endpoint.url), allowed or ()):
            raise _refusal(field, endpoint.url)


def _matches(names: Iterable[str], allowed: Sequence[str], *, literally: bool = False) -> bool:
    pins = [pin.lower() for pin in allowed]
    return any(
        name == pin or (not literally and fnmatch.fnmatchcase(name, pin)) for name in names for pin in pins
    )  # fmt: skip


def _refusal(field: str, name: str) -> CutoverError:
    text = f"{field}: {name} is not allowed by the agent's configuration"
    return CutoverError("CUT-SPEC-5", text, details={"field": field})
