"""A real browser: Debian's chromium, driven by Playwright. Without it, these tests are skipped by name."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright
from tests.conftest import local_settings
from tests.programs import found, require

from bothways.contract.document import Environment
from bothways.operations.accounts import current_code
from bothways.operations.hub import Hub, initialise, new_terms, now, open_hub

PASSWORD = "correct horse battery staple"  # noqa: S105 - of people who are made here
CHROMIUM = found("chromium")

Open = Callable[..., Page]
Launch = Callable[..., Browser]


@pytest.fixture
def launch() -> Iterator[Launch]:
    """Return a function that starts a browser with more arguments; who starts one closes it.

    For one test alone: Playwright keeps an event loop running, beside which no other test could run one.
    """
    require("chromium")
    with sync_playwright() as playwright:
        yield lambda *more: playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *more])


@pytest.fixture
def browser(launch: Launch) -> Iterator[Browser]:
    launched = launch()
    yield launched
    launched.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Return a function that opens a page in a browser of its own, with cookies of its own."""
    contexts = []

    def opened(**options: object) -> Page:
        contexts.append(browser.new_context(ignore_https_errors=True, **options))  # type: ignore[arg-type]
        page = contexts[-1].new_page()
        page.set_default_timeout(30_000)
        return page

    yield opened
    for each in contexts:
        each.close()


@pytest.fixture
def prd(tmp_path: Path) -> Iterator[Hub]:
    """A hub of production, where it takes two people."""
    settings = local_settings()
    initialise(tmp_path / "hub", new_terms(Environment.PRD, "prd.hub.localhost", settings), settings, "root")
    with open_hub(tmp_path / "hub", "root") as hub:
        yield hub


def accept(page: Page, hub: Hub, token: str) -> str:
    """Make an account from an invitation, as a person does; return the secret of its codes."""
    page.goto(f"{hub.terms.portal}/invitation/{token}")
    secret = re.sub(r"\s", "", page.inner_text("#secret"))
    page.fill("#password", PASSWORD)
    page.fill("#again", PASSWORD)
    page.fill("#code", current_code(secret, now()))
    page.click("button:has-text('Make my account')")
    return secret


def downloaded(page: Page, press: Callable[[], None]) -> bytes:
    """Press what begins a download, and return what came.

    One that the browser gave up is begun once more: Chromium does that now and then where many of it share two cores,
    and says only that it was cancelled.
    """
    for _ in range(2):
        with page.expect_download() as started:
            press()
        if not (failure := started.value.failure()):
            return started.value.path().read_bytes()
    raise AssertionError(f"the download was given up twice: {failure}")


def check_accessible(page: Page) -> None:
    """Look at the page as axe does, which must find nothing; nor may it be wider than the window."""
    found = Axe().run(page)
    assert found.violations_count == 0, f"{page.url}\n{found.generate_report()}"
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider == 0, f"{page.url} is {wider} pixels too wide"
