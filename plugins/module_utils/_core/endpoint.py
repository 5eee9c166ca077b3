# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Endpoints as users and ArangoDB write them, checked and brought into one form."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from .errors import CutoverError

DEFAULT_PORT = 8529
_SCHEMES = {
    "http": "http",
    "https": "https",
    "tcp": "http",
    "ssl": "https",
    "http+tcp": "http",
    "http+ssl": "https",
}
_FORM = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>.*)\Z", re.DOTALL)
_AUTHORITY = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9._-]+))(?::(?P<port>[0-9]{1,5}))?/?\Z")


@dataclass(frozen=True)
class Endpoint:
    """One server's address; ``scheme`` is ``http`` or ``https``, ``host`` is without brackets."""

    scheme: str
    host: str
    port: int

    @property
    def origin(self) -> str:
        """``host:port`` as it stands in a Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """``scheme://host:port`` without a path."""
        return f"{self.scheme}://{self.origin}"

    def __str__(self) -> str:
        return self.url


def parse_endpoint(text: str, field: str) -> Endpoint:
    """Read one endpoint; ``field`` is the option's name for the error message.

    ArangoDB's own schemes are taken too: ``tcp`` is http, ``ssl`` is https. Raises ``CutoverError`` CUT-SPEC-901 to
    903; the text is never repeated when it may hold a password.
    """
    if not isinstance(text, str):
        raise _refused("CUT-SPEC-901", field, "an endpoint must be a text")
    text = text.strip()
    if "@" in text:
        raise _refused("CUT-SPEC-902", field, "an endpoint must not hold a user name or password")
    form = _FORM.match(text)
    if form is None:
        raise _refused("CUT-SPEC-903", field, f"the endpoint {_shown(text)} has no scheme")
    scheme = _SCHEMES.get(form.group("scheme").lower())
    if scheme is None:
        known = ", ".join(f"{name}://" for name in _SCHEMES)
        raise _refused("CUT-SPEC-903", field, f"the endpoint {_shown(text)} has an unknown scheme (known: {known})")
    authority = _AUTHORITY.match(form.group("rest"))
    if authority is None:
        raise _refused("CUT-SPEC-901", field, f"the endpoint {_shown(text)} is not of the form SCHEME://HOST:PORT")
    port = int(authority.group("port") or DEFAULT_PORT)
    if not 1 <= port <= 65535:
        raise _refused("CUT-SPEC-901", field, f"the endpoint {_shown(text)} has a port outside 1 to 65535")
    host = authority.group("v6") or authority.group("host")
    return Endpoint(scheme=scheme, host=host.lower(), port=port)


def parse_endpoints(texts: Iterable[str], field: str) -> list[Endpoint]:
    """Read a list of endpoints, each once, in the given order. An empty list raises CUT-SPEC-904."""
    if isinstance(texts, str):
        texts = [texts]
    found: list[Endpoint] = []
    for text in texts:
        endpoint = parse_endpoint(text, field)
        if endpoint not in found:
            found.append(endpoint)
    if not found:
        raise _refused("CUT-SPEC-904", field, "no endpoint is given")
    return found


def _refused(code: str, field: str, message: str) -> CutoverError:
    return CutoverError(code, f"{field}: {message}", details={"field": field})


def _shown(text: str) -> str:
    return repr(text if len(text) <= 200 else text[:200] + "…")
