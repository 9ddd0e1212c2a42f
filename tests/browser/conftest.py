"""A real browser: Debian's chromium, driven by Playwright. Without it, these tests are skipped by name."""

import re
import shutil
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from bothways.operations.accounts import current_code
from bothways.operations.hub import Hub, now

PASSWORD = "correct horse battery staple"  # noqa: S105 - of people who are made here
CHROMIUM = shutil.which("chromium")

Open = Callable[..., Page]
Launch = Callable[..., Browser]


@pytest.fixture
def launch() -> Iterator[Launch]:
    """Return a function that starts a browser with more arguments; who starts one closes it.

    For one test alone: Playwright keeps an event loop running, beside which no other test could run one.
    """
    if CHROMIUM is None:
        pytest.skip("chromium is not installed (Debian package chromium)")
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


def accept(page: Page, hub: Hub, token: str) -> str:
    """Make an account from an invitation, as a person does; return the secret of its codes."""
    page.goto(f"{hub.terms.portal}/invitation/{token}")
    secret = re.sub(r"\s", "", page.inner_text("#secret"))
    page.fill("#password", PASSWORD)
    page.fill("#again", PASSWORD)
    page.fill("#code", current_code(secret, now()))
    page.click("button:has-text('Make my account')")
    return secret


def check_accessible(page: Page) -> None:
    """Look at the page as axe does, which must find nothing; nor may it be wider than the window."""
    found = Axe().run(page)
    assert found.violations_count == 0, f"{page.url}\n{found.generate_report()}"
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider == 0, f"{page.url} is {wider} pixels too wide"
