# Copyright: the cutover.arangodb contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What people see: every state on desk and phone, light and dark, live and without scripts, by ear and keyboard."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import BUILD
from tests.browser.states import COMPLETED, COPYING, READY, REPORT, STATES
from tests.unit.agent_fakes import RunningAgent

# Where screenshots go; `make images` names docs/images.
IMAGES = Path(os.environ.get("CUTOVER_IMAGES") or BUILD / "images")
DESK, PHONE = {"width": 1200, "height": 900}, {"width": 360, "height": 740}
PATIENCE = 60_000
# The page asks for events as long as it is open, so its network is never idle.
pytestmark = pytest.mark.timeout(240)


@contextmanager
def opened(
    browser: Browser, agent: RunningAgent, path: str = "/", expected: tuple[str, ...] = (), before: str = "",
    **options: Any,
) -> Iterator[Page]:  # fmt: skip
    """The page; whatever it complains about or asks of others fails the test. ``before`` runs ahead of its script."""
    context = browser.new_context(ignore_https_errors=True, **{"viewport": DESK, **options})
    page = context.new_page()
    page.add_init_script(before)
    troubles: list[str] = []
    page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    origin = f"https://127.0.0.1:{agent.port}"
    page.on("request", lambda made: None if made.url.startswith(origin) else troubles.append(made.url))
    page.goto(f"{origin}{path}", wait_until="load")
    yield page
    assert [text for text in troubles if not any(known in text for known in expected)] == []
    context.close()


def show(agent: RunningAgent, document: dict[str, Any]) -> None:
    agent.engine.document = copy.deepcopy(document)
    reported = document["cutover"]["attempts"] > 0
    agent.engine.report = lambda: copy.deepcopy(REPORT) if reported else None  # type: ignore[method-assign]


@pytest.mark.parametrize("name", STATES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_state_answers_at_a_glance(
    browser: Browser, agent: RunningAgent, axe: str, name: str, scheme: str
) -> None:
    document, answer = STATES[name]
    show(agent, document)
    IMAGES.mkdir(parents=True, exist_ok=True)
    for device, viewport in (("", DESK), ("-phone", PHONE)):
        with opened(browser, agent, viewport=viewport, color_scheme=scheme) as page:
            assert page.locator(".answer").inner_text() == answer
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, f"{name}{device} scrolls sideways by {wide} px"
            page.screenshot(path=IMAGES / f"status-{name}-{scheme}{device}.png", full_page=not device)
            found = page.evaluate(f"async () => {{ {axe}; return await axe.run(); }}")
            serious = [
                (item["id"], [node["html"][:100] for node in item["nodes"]])
                for item in found["violations"]
                if item["impact"] in ("serious", "critical")
            ]
            assert serious == []


@pytest.mark.parametrize(
    "broken",
    ["window.setInterval = () => 0;", "window.EventSource = class { addEventListener() {} };"],
    ids=["events alone", "asking alone"],
)
def test_a_change_is_shown_without_reloading(browser: Browser, agent: RunningAgent, broken: str) -> None:
    """By the stream of events, and by asking again where a proxy swallows the stream."""
    show(agent, COPYING)
    with opened(browser, agent, before=broken) as page:
        expect(page.locator("#live")).to_have_text("live", timeout=PATIENCE)
        page.evaluate("window.sameDocument = true")
        show(agent, READY)
        expect(page.locator(".answer")).to_contain_text("Yes, it is", timeout=PATIENCE)
        assert page.title() == "running – migration shop-to-cloud"
        assert page.evaluate("window.sameDocument")


def test_the_end_takes_the_place_of_what_moved(browser: Browser, agent: RunningAgent) -> None:
    """Without reloading too: nothing of the copy stays beside the result."""
    show(agent, READY)
    with opened(browser, agent) as page:
        expect(page.locator("dt", has_text="Lag")).to_have_count(1)
        show(agent, COMPLETED)
        expect(page.locator("dt").first).to_have_text("Result", timeout=PATIENCE)
        assert page.locator("dt").all_inner_texts() == [
            "Result", "Opened", "Downtime", "Verified", "Late writes", "Source", "Target", "Report",
        ]  # fmt: skip
        for gone in ("progress", "table", "text=all shards"):
            expect(page.locator(gone)).to_have_count(0)
        page.get_by_role("link", name="Report of the last cutover").click()
        expect(page.locator(".verdict")).to_contain_text("proved equal")


def test_an_agent_that_is_gone_is_said(browser: Browser, agent: RunningAgent) -> None:
    show(agent, READY)
    with opened(browser, agent, expected=("503",)) as page:
        expect(page.locator("#live")).to_have_text("live", timeout=PATIENCE)
        page.route("**/*", lambda route: route.fulfill(status=503))
        expect(page.locator("#live")).to_contain_text("does not answer", timeout=PATIENCE)


def test_everything_is_there_without_scripts(browser: Browser, agent: RunningAgent) -> None:
    document, answer = STATES["blocked"]
    show(agent, document)
    with opened(browser, agent, java_script_enabled=False) as page:
        assert page.locator(".answer").inner_text() == answer
        assert page.locator("text=schema validation failed").count() >= 1
        assert page.locator('noscript meta[http-equiv="refresh"]').count() == 1


def test_the_keyboard_reaches_every_link_and_every_scrolling_table(browser: Browser, agent: RunningAgent) -> None:
    show(agent, READY)
    with opened(browser, agent) as page:
        wanted = page.locator("a, [tabindex='0']").count()
        reached = set()
        for _press in range(wanted):
            page.keyboard.press("Tab")
            reached.add(page.evaluate("document.activeElement.outerHTML.slice(0, 80)"))
        assert len(reached) == wanted
        assert not any(item.startswith("<body") for item in reached)


def test_ten_thousand_shards_are_as_quick_as_ten(browser: Browser, agent: RunningAgent) -> None:
    """Judged by what is sent: the page does not grow with the shards, and their list comes in parts."""

    def many(count: int) -> Any:
        def shards(options: dict[str, Any]) -> dict[str, Any]:
            offset, limit = options["offset"], options["limit"]
            items = [
                {"database": "shop", "collection": f"c{number // 9}", "shard": f"s{number}", "state": "in-sync",
                 "leader": f"PRMR-{number % 3}"}
                for number in range(offset, min(count, offset + limit))
            ]  # fmt: skip
            return {"shards": items, "total": count}

        return shards

    show(agent, READY)
    sizes = {}
    for count in (1000, 10000):
        agent.engine.document["shards"] |= {"in_sync": count, "total": count}
        agent.engine.shards = many(count)  # type: ignore[method-assign]
        with opened(browser, agent, "/shards") as page:
            sizes[count] = len(page.content())
            assert page.locator("tbody tr").count() == 200
            page.get_by_role("link", name="next").click()
            page.wait_for_url("**offset=200")
            assert page.locator("tbody tr").first.inner_text().split()[2] == "s200"
    assert sizes[10000] < 1.1 * sizes[1000]
