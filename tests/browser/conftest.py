"""A real Chromium on a running service in the middle of the story, at the width of a desk and of a phone.

The story is told to its ninth step once; each test then brings what it changes: a campaign, a policy, a person.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, StorageState, expect, sync_playwright

from mailer.demo.stage import PASSWORD, WORD_OF, Stage
from tests.journeys.conftest import fresh_telling

HEIGHTS = {1280: 900, 390: 844}
PATIENCE = 20_000.0  # ms
REFUSED = re.compile(r"Failed to load resource.* 4\d\d ")
expect.set_options(timeout=PATIENCE)


class Opener(Protocol):
    """How a test opens a browser window: a stranger's, or of a member of staff."""

    def __call__(self, who: str = "", *, script: bool = True, **context: Any) -> Page: ...


@pytest.fixture(scope="package")
def stage() -> Iterator[Stage]:
    """A running service, nine steps into the story: a campaign out, a change pending, answers in."""
    with fresh_telling() as telling:
        yield telling.to(9)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The system's Chromium, else Playwright's own."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found)
        yield browser
        browser.close()


@pytest.fixture(params=HEIGHTS)
def width(request: pytest.FixtureRequest) -> int:
    """A desk, then a phone."""
    return int(request.param)


@pytest.fixture
def opened(
    chromium: Browser, stage: Stage, width: int, signed_in_as: Callable[[str], StorageState]
) -> Iterator[Opener]:
    """`opened("policy")` is a new window of the policy officer. What its console complains of fails the test."""
    complaints: list[str] = []
    contexts: list[BrowserContext] = []

    def open_(who: str = "", *, script: bool = True, **context: Any) -> Page:
        state = signed_in_as(who) if who else None
        contexts.append(_context(chromium, stage, width, java_script_enabled=script, storage_state=state, **context))
        page: Page = contexts[-1].new_page()
        page.on("console", lambda message: complaints.extend(_complaint(message)))
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        page.on("request", lambda request: complaints.extend(_foreign(request.url, stage.world.base)))
        return page

    yield open_
    for context in contexts:
        context.close()
    assert not complaints, "\n".join(complaints)


@pytest.fixture(scope="package")
def signed_in_as(chromium: Browser, stage: Stage) -> Callable[[str], StorageState]:
    """The cookies of a member of staff who has signed in, once for all of these tests."""
    kept: dict[str, StorageState] = {}

    def sign_in(who: str) -> StorageState:
        if who not in kept:
            stage.staff(who)  # past the first password
            context = _context(chromium, stage, 1280)
            page = context.new_page()
            page.goto("/admin/sign-in")
            page.get_by_label("E-mail address").fill(f"{who}@leadmark.example")
            page.get_by_label("Password").fill(PASSWORD.format(WORD_OF[who]))
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url("**/admin/")
            kept[who] = context.storage_state()
            context.close()
        return kept[who]

    return sign_in


def _context(chromium: Browser, stage: Stage, width: int, **more: Any) -> BrowserContext:
    context = chromium.new_context(
        base_url=stage.world.base,
        viewport={"width": width, "height": HEIGHTS[width]},
        reduced_motion="reduce",
        **{"locale": "en-GB"} | more,
    )
    context.set_default_timeout(PATIENCE)
    return context


def _complaint(message: ConsoleMessage) -> list[str]:
    url = str(message.location.get("url"))
    says_no = REFUSED.search(message.text) and "/static/" not in url  # a page may, on purpose
    return [] if message.type != "error" or says_no else [f"{url}: {message.text}"]


def _foreign(url: str, base: str) -> list[str]:
    return [] if url.startswith((base, "data:", "about:")) else [f"{url} is not ours"]
