# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Replay of recorded exchanges against the emulator over sockets (facts §11).

`python -m tests.testbed.recorded [VERSION …]` prints how many exchanges were replayed and agree, and how many were left
out by reason. The state that a script of exchanges found is made by public requests that are derived from the exchanges
themselves (recorded_state.py); a script gets an emulator of its own.
"""

from __future__ import annotations

import sys
import time
import urllib.parse
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from tests.testbed.recorded_compare import Comparison
from tests.testbed.recorded_scope import out_of_scope
from tests.testbed.recorded_sources import VERSIONS, Exchange, load, scripts, servers
from tests.testbed.recorded_target import Emulated, Target

__all__ = ["Exchange", "Report", "Script", "load", "replay", "replay_on", "scripts"]

Opener = Callable[[str, str], Target]

_PATIENCE = 3.0  # seconds in which a job may come to its end


@dataclass
class Script:
    """Exchanges that were recorded one after the other, and what is known of their identifiers."""

    exchanges: list[Exchange]
    target: Target
    ids: dict[str, str] = field(default_factory=dict)

    def remember(self, recorded: object, ours: object) -> None:
        """A recorded identifier is ours under another name."""
        if isinstance(recorded, str) and isinstance(ours, str) and recorded:
            self.ids[recorded] = ours

    def make(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        """A request that makes prior state; RuntimeError when it is refused."""
        answer = self.target.send(method, path, body, headers)
        if answer.status >= 400:
            raise RuntimeError(f"prior state: {method} {path} {body}: {answer.status} {answer.body}")
        return answer.body

    def translate(self, value: Any) -> Any:
        """A recorded value with our identifiers in it."""
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, list):
            return [self.translate(entry) for entry in value]
        if isinstance(value, dict):
            return {name: self.translate(entry) for name, entry in value.items()}
        return value

    def _text(self, text: str) -> str:
        if text.strip('"') in self.ids:
            return text.replace(text.strip('"'), self.ids[text.strip('"')])
        return "/".join(self.ids.get(part, part) for part in text.split("/")) if "/" in text else text

    def path(self, recorded: str) -> str:
        """A recorded path with our identifiers."""
        path, mark, query = recorded.partition("?")
        path = "/".join(self.ids.get(part, part) for part in path.split("/"))
        if not mark:
            return path
        pairs = [(name, self.ids.get(value, value)) for name, value in urllib.parse.parse_qsl(query)]
        return f"{path}?{urllib.parse.urlencode(pairs)}"

    def learn(self, recorded: Any, ours: Any) -> None:
        """Pair the identifiers of two answers."""
        if isinstance(recorded, dict) and isinstance(ours, dict):
            for name in recorded.keys() & ours.keys():
                if name in ("id", "_id", "_key", "_rev", "_oldRev"):
                    self.remember(recorded[name], ours[name])
                else:
                    self.learn(recorded[name], ours[name])
        elif isinstance(recorded, list) and isinstance(ours, list) and len(recorded) == len(ours):
            if recorded and isinstance(recorded[0], dict) and {"name", "user"} & recorded[0].keys():
                return  # lists of named things have no order
            for left, right in zip(recorded, ours, strict=False):
                self.learn(left, right)

    def replay(self) -> Iterator[list[str]]:
        """Send each exchange; gives its differences."""
        for exchange in self.exchanges:
            differences = self._exchange(exchange)
            deadline = time.monotonic() + _PATIENCE
            while differences and _is_a_race(exchange["request"]) and time.monotonic() < deadline:
                time.sleep(0.05)
                differences = self._exchange(exchange)
            yield differences

    def _exchange(self, exchange: Exchange) -> list[str]:
        request, expected = exchange["request"], exchange["response"]
        headers = {name: self.translate(value) for name, value in (request.get("headers") or {}).items()}
        answer = self.target.send(
            request["method"], self.path(request["path"]), self.translate(request.get("body")), headers
        )
        recorded_headers = {name.lower(): value for name, value in expected["headers"].items()}
        self.learn(expected["body"], answer.body)
        if "x-arango-async-id" in recorded_headers:
            self.remember(recorded_headers["x-arango-async-id"], answer.headers.get("x-arango-async-id"))
        comparison = Comparison(self.ids)
        if expected["status"] != answer.status:
            comparison.differences.append(f"status: recorded {expected['status']}, ours {answer.status}: {answer.body}")
        comparison.headers(recorded_headers, answer.headers)
        if expected.get("body_kind") != "text":
            comparison.value("body", expected["body"], answer.body)
        return comparison.differences


def _is_a_race(request: dict[str, Any]) -> bool:
    """Whether the answer depends on how far a job has come in the meantime."""
    return request["method"] == "GET" and str(request["path"]).startswith("/_api/job/")


@dataclass
class Report:
    """What a replay has shown."""

    replayed: int = 0
    endpoints: Counter[str] = field(default_factory=Counter)  # of the replayed ones
    left_out: Counter[str] = field(default_factory=Counter)
    unequal: dict[str, list[str]] = field(default_factory=dict)

    def text(self, version: str) -> str:
        """Lines for people."""
        lines = [f"{version}: {self.replayed} replayed and equal, {len(self.unequal)} unequal"]
        lines += [f"  {count:4d} left out: {reason}" for reason, count in self.left_out.most_common()]
        for name, differences in self.unequal.items():
            lines += [f"  UNEQUAL {name}", *(f"      {line}" for line in differences[:6])]
        return "\n".join(lines)


@cache
def replay(version: str) -> Report:
    """Replay everything that is in scope on emulated servers, once in a process."""
    return replay_on(Emulated, version, out_of_scope)


def replay_on(opener: Opener, version: str, left_out: Callable[[list[Exchange]], str | None]) -> Report:
    """Replay on what `opener` gives for a server version and a topology; `left_out` gives reasons for leaving out."""
    report = Report()
    for script in scripts(load(version)):
        reason = left_out(script)
        if reason is not None:
            report.left_out[reason] += len(script)
            continue
        differences = _compare(opener, version, script)
        for exchange in script:
            found = differences.get(exchange["seq"])
            if found:
                report.unequal[f"{exchange['name']} #{exchange['seq']}"] = found
            else:
                report.replayed += 1
                report.endpoints[_endpoint(exchange["request"]["path"])] += 1
    return report


def _endpoint(path: str) -> str:
    return "/".join(path.removeprefix("/_db/_system").partition("?")[0].split("/")[:3])


def _compare(opener: Opener, version: str, script: list[Exchange]) -> dict[int, list[str]]:
    """Differences by exchange; where the recording does not say which build answered, those of the one most alike."""
    attempts: list[dict[int, list[str]]] = []
    for build in servers(version, script):
        attempts.append(_run(opener, build, script))
        if not attempts[-1]:
            break
    return min(attempts, key=lambda found: sum(len(lines) for lines in found.values()))


def _run(opener: Opener, build: str, script: list[Exchange]) -> dict[int, list[str]]:
    from tests.testbed.recorded_state import prepare

    target = opener(build, script[0]["topology"])
    found: dict[int, list[str]] = {}
    try:
        running = Script(script, target)
        prepare(running)
        for exchange, differences in zip(script, running.replay(), strict=True):
            if differences:
                found[exchange["seq"]] = differences
    except RuntimeError as error:
        found = {exchange["seq"]: [str(error)] for exchange in script}
    finally:
        target.close()
    return found


def main() -> int:
    """Print the reports; 1 when something was unequal."""
    reports = {version: replay(version) for version in sys.argv[1:] or VERSIONS}
    for version, report in reports.items():
        sys.stdout.write(report.text(version) + "\n")
    return int(any(report.unequal for report in reports.values()))


if __name__ == "__main__":
    sys.exit(main())
