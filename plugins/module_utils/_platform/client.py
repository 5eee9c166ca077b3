# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Calls of the managed platform's API: tokens, errors, repetition, pages (platform facts §1, §2)."""

from __future__ import annotations

import email.utils
import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from .._core.clock import SYSTEM_CLOCK, Backoff, Clock, Deadline
from .._core.errors import CutoverError
from .._core.platform_rules import (
    NOT_RUN,
    RETRIABLE,
    UNAUTHENTICATED,
    UNAVAILABLE,
    meaning,
    seconds,
    with_proto_names,
)
from .._core.redact import redact, register_secret
from .._core.tls import client_context

try:
    import requests
    from requests.utils import get_environ_proxies

    HAS_REQUESTS = True
except ImportError:
    HAS_REQUESTS = False

PAGE_SIZE = 50
_MAX_ANSWER = 8 << 20
_MAX_PAGES = 200
_RENEW_AFTER = 0.8  # of a token's life
_TRIES = 6  # at most: a 429 can be a quota, which does not pass
_MAX_WAIT = 30.0  # seconds that a Retry-After is followed
_AGENT = "cutover.arangodb"
_GATEWAY_STATUSES = frozenset({429, 502, 503, 504})
NO_REQUESTS = "the managed platform needs the Python library requests on the controller"


@dataclass(frozen=True)
class Connection:
    """Where the platform's API is and who asks. ``timeout`` is that of one request, ``retry_for`` that of one call."""

    endpoint: str
    key_id: str
    key_secret: str
    ca_path: str | None = None
    timeout: float = 30.0
    retry_for: float = 60.0


class PlatformError(CutoverError):
    """The platform, or something in front of it, refused; ``grpc_code`` is None when the answer carried none."""

    def __init__(
        self, code: str, message: str, *, grpc_code: int | None = None, status: int | None = None, url: str = "",
        retriable: bool = False, not_run: bool = False, retry_after: float | None = None, remedy: str | None = None,
    ) -> None:  # fmt: skip
        details = {"http_status": status, "grpc_code": grpc_code, "url": url}
        super().__init__(code, redact(message), retriable=retriable, remedy=remedy, details=details)
        self.grpc_code = grpc_code
        self.not_run = not_run
        self.retry_after = retry_after


class PlatformClient:
    """One API key's calls; a context manager that ends the connections.

    Every method raises ``CutoverError``: CUT-PLATFORM-*, CUT-SPEC-1 for an address that is none, CUT-TLS-1.
    """

    def __init__(
        self, connection: Connection, *, clock: Clock = SYSTEM_CLOCK, stop: threading.Event | None = None
    ) -> None:
        if not HAS_REQUESTS:
            raise CutoverError("CUT-PLATFORM-10", NO_REQUESTS, remedy="Install requests for the Python of Ansible.")
        parts = urlsplit(connection.endpoint)
        if parts.scheme != "https" or not parts.hostname or parts.username or parts.query:
            text = f"platform_endpoint: {redact(connection.endpoint)} is not of the form https://HOST[:PORT]"
            raise CutoverError("CUT-SPEC-1", text, details={"field": "platform_endpoint"})
        register_secret(connection.key_secret)
        self.key_id = connection.key_id
        self._connection = connection
        self._base = connection.endpoint.rstrip("/")
        self._clock = clock
        self._stop = stop or threading.Event()
        self._token = ""
        self._renew_at = 0.0
        self.clock_skew: float | None = None
        self._session, self._proxies = self._opened()

    def _opened(self) -> tuple[requests.Session, dict[str, str]]:
        """A session that takes proxies from the environment and nothing else.

        What `trust_env` brings besides would do harm: REQUESTS_CA_BUNDLE in place of our CA, .netrc in place of the
        token.
        """
        session = requests.Session()
        session.trust_env = False
        session.verify = self._connection.ca_path or True
        proxies = dict(get_environ_proxies(self._base, no_proxy=None))
        adapter = requests.adapters.HTTPAdapter()
        context = client_context(self._connection.ca_path)
        adapter.init_poolmanager(4, 4, ssl_context=context)
        for proxy in {proxies[name] for name in ("https", "all") if name in proxies}:
            adapter.proxy_manager_for(proxy if "://" in proxy else f"http://{proxy}", ssl_context=context)
        session.mount("https://", adapter)
        return session, proxies

    def __enter__(self) -> PlatformClient:
        return self

    def __exit__(self, *_error: object) -> None:
        self._session.close()

    # -- calls --------------------------------------------------------------------------------------------------

    def probe(self) -> None:
        """Raise CUT-PLATFORM-1 unless the platform's API answers at this address (platform facts §1.2)."""
        if "major" not in self._repeated("GET", "/api/iam/v1/api-version", public=True):
            raise self._no_api("/api/iam/v1/api-version", "names no version")

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """The answer of a call that reads."""
        return self._repeated("GET", path, query=query)

    def send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The answer of a call that writes; it is repeated only when it certainly did not run."""
        return self._repeated(method, path, body=body)

    def pages(self, path: str, prefix: str = "", **query: Any) -> Iterator[dict[str, Any]]:
        """Every item of a list; ``prefix`` is `options.` where the paging is a field (platform facts §1.6)."""
        for page in range(_MAX_PAGES):
            paging = {f"{prefix}page": page, f"{prefix}page_size": PAGE_SIZE}
            items = self.get(path, **query, **paging).get("items") or []
            yield from items
            if len(items) < PAGE_SIZE:
                return

    # -- one call, repeated -------------------------------------------------------------------------------------

    def _repeated(
        self, method: str, path: str, *, query: Mapping[str, Any] | None = None, body: Mapping[str, Any] | None = None,
        form: Mapping[str, str] | None = None, public: bool = False,
    ) -> dict[str, Any]:  # fmt: skip
        harmless = method == "GET" or public
        deadline = Deadline(self._connection.retry_for, self._clock)
        backoff = Backoff(first=0.5, cap=8.0)
        renewed = False
        for attempt in range(1, _TRIES + 1):
            if not public and self._clock.monotonic() >= self._renew_at:
                self._log_in()
            try:
                return self._once(method, path, query=query, body=body, form=form, public=public)
            except PlatformError as error:
                if error.grpc_code == UNAUTHENTICATED and not public and not renewed:
                    renewed, self._renew_at = True, 0.0
                    continue
                pause = backoff.next() if error.retry_after is None else min(error.retry_after, _MAX_WAIT)
                last = attempt == _TRIES or deadline.remaining() <= pause
                if last or not error.retriable or not (harmless or error.not_run):
                    raise
                if self._stop.wait(pause):
                    raise
        raise PlatformError("CUT-PLATFORM-8", f"{method} {self._base}{path} was repeated in vain")

    def _log_in(self) -> None:
        """Get a token; the secret travels in a form body, never in an address (platform facts §2.1)."""
        begun = self._clock.monotonic()
        path = f"/api/iam/v1/apikeys/{quote(self._connection.key_id, safe='')}/authenticate"
        found = self._repeated("POST", path, form={"secret": self._connection.key_secret}, public=True)
        self._token = str(found.get("token") or "")
        if not self._token:
            raise PlatformError("CUT-PLATFORM-2", f"POST {self._base}{path} gave no token", url=self._base + path)
        register_secret(self._token)
        life = seconds(found.get("time_to_live"))
        # A life that the platform does not tell is unknown: the first 401 renews then.
        self._renew_at = begun + life * _RENEW_AFTER if life > 0 else float("inf")

    # -- one request --------------------------------------------------------------------------------------------

    def _once(
        self, method: str, path: str, *, query: Mapping[str, Any] | None, body: Mapping[str, Any] | None,
        form: Mapping[str, str] | None, public: bool,
    ) -> dict[str, Any]:  # fmt: skip
        url = self._base + path
        headers = {"Accept": "application/json", "User-Agent": _AGENT,
                   "Grpc-Metadata-X-Arango-Graph-User-Agent": _AGENT}  # fmt: skip
        if not public:
            headers["Authorization"] = f"bearer {self._token}"
        timeout = (min(self._connection.timeout, 10.0), self._connection.timeout)
        try:
            with self._session.request(
                method, url, params=_written(query or {}), json=body, data=form, headers=headers, timeout=timeout,
                proxies=self._proxies, allow_redirects=False, stream=True,
            ) as response:  # fmt: skip
                content = self._content(response, url)
                self._look_at_clock(response.headers.get("Date"))
                return self._understood(method, path, response, content)
        except (requests.exceptions.ConnectTimeout, requests.exceptions.ProxyError) as error:
            raise self._unreachable(method, url, error, not_run=True) from None
        except requests.exceptions.RequestException as error:
            raise self._unreachable(method, url, error, not_run=False) from None

    def _content(self, response: requests.Response, url: str) -> bytes:
        """The body, bounded in size and time."""
        deadline = Deadline(self._connection.timeout, self._clock)
        content = bytearray()
        for piece in response.iter_content(65_536):
            content += piece
            if len(content) > _MAX_ANSWER:
                text = f"{url} answered more than {_MAX_ANSWER >> 20} MiB"
                raise PlatformError("CUT-PLATFORM-1", text, status=response.status_code, url=url)
            if deadline.expired:
                raise requests.exceptions.ReadTimeout("the answer takes too long")
        return bytes(content)

    def _understood(self, method: str, path: str, response: requests.Response, content: bytes) -> dict[str, Any]:
        status, url = response.status_code, self._base + path
        try:
            document = json.loads(content)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            if status in _GATEWAY_STATUSES:
                text = f"{method} {url} answered {status} without saying why"
                raise PlatformError(
                    "CUT-PLATFORM-19", text, status=status, url=url, retriable=True, not_run=status == 429,
                    retry_after=self._retry_after(response.headers),
                )  # fmt: skip
            kind = response.headers.get("Content-Type", "").partition(";")[0] or "no content type"
            raise self._no_api(path, f"answered {status} with {kind}", status)
        if status < 300:
            found: dict[str, Any] = with_proto_names(document)
            return found
        code = document.get("code") if isinstance(document.get("code"), int) else None
        text = str(document.get("message") or document.get("error") or f"HTTP {status}")[:500]
        raise PlatformError(
            meaning(code), f"{method} {url}: {text}", grpc_code=code, status=status, url=url,
            retriable=code in RETRIABLE, not_run=code in NOT_RUN,
            retry_after=self._retry_after(response.headers) if code in (UNAVAILABLE, *NOT_RUN) else None,
        )  # fmt: skip

    def _no_api(self, path: str, what: str, status: int | None = None) -> PlatformError:
        url = self._base + path
        return PlatformError("CUT-PLATFORM-1", f"{url} is not the platform's API: it {what}", status=status, url=url)

    def _unreachable(self, method: str, url: str, error: Exception, *, not_run: bool) -> PlatformError:
        certificate = isinstance(error, requests.exceptions.SSLError) and "CERTIFICATE_VERIFY" in str(error)
        what = "its certificate cannot be verified" if certificate else _innermost(error)
        return PlatformError(
            "CUT-PLATFORM-10", f"{method} {url}: {what}", url=url, retriable=not certificate, not_run=not_run
        )

    def _retry_after(self, headers: Mapping[str, str]) -> float | None:
        """Seconds that the platform asks to wait, by number or by date."""
        text = headers.get("Retry-After", "").strip()
        if text.isdecimal():
            return float(text)
        then = _http_date(text)
        now = _http_date(headers.get("Date", ""))
        return max(0.0, then - (self._clock.wall() if now is None else now)) if then is not None else None

    def _look_at_clock(self, date: str | None) -> None:
        there = _http_date(date or "")
        if there is not None:
            self.clock_skew = self._clock.wall() - there


def _written(query: Mapping[str, Any]) -> dict[str, Any]:
    """A query as texts of JSON, as the gateway reads them."""
    return {name: str(value).lower() if isinstance(value, bool) else value for name, value in query.items()}


def _http_date(text: str) -> float | None:
    """A date of HTTP as seconds since 1970."""
    try:
        return email.utils.parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError):
        return None


def _innermost(error: BaseException) -> str:
    """What the operating system said; the texts around it hold objects' addresses."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.strerror:
            return seen.strerror
        inner = seen.__cause__ or seen.__context__
        reason = getattr(seen, "reason", None)
        seen = reason if isinstance(reason, BaseException) else inner
    return type(error).__name__
