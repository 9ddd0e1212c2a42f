"""The documentation as a reader has it: axe finds nothing on any page, and the search answers, also from a disk."""

from pathlib import Path

import pytest
from tests.browser.conftest import Open, check_accessible

from bothways.manual.build import build
from bothways.manual.search import index

PAGES = ("index.html", "flows.html", "contract.html", "howto-nginx.html", "search.html")
"""Pages with one of each thing that a page can have: drawings, tables with and without a corner, code, the search."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("site")
    build(place)
    return place


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_axe_finds_nothing(site: Path, open_page: Open, scheme: str, width: int) -> None:
    page = open_page(color_scheme=scheme, viewport={"width": width, "height": 800})
    for path in PAGES:
        page.goto((site / path).as_uri())
        check_accessible(page)


def test_no_page_is_wider_than_a_phone(site: Path, open_page: Open) -> None:
    page, wide = open_page(viewport={"width": 360, "height": 800}), []
    for path in sorted(site.glob("*.html")):
        page.goto(path.as_uri())
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            wide.append(path.name)
    assert wide == []


def test_the_search_of_the_built_site_answers_from_a_disk(site: Path, open_page: Open) -> None:
    question = "why is my certificate refused"
    page = open_page()
    page.goto((site / "index.html").as_uri())
    page.fill("#ask", question)
    page.press("#ask", "Enter")
    page.wait_for_selector("#answers li")
    best = index().ask(question)[0].passage
    assert page.locator("#answers a").first.get_attribute("href") == best.address
    page.locator("#answers a").first.click()
    assert page.locator(f"#{best.anchor}").is_visible()
