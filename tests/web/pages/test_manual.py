import re
from urllib.parse import urljoin

from tests.web.conftest import Ask, applied
from tests.web.pages.conftest import Visit

from bothways.operations.hub import Hub
from bothways.registry.access import Role
from bothways.web.portal import portal_app


def test_a_hub_serves_the_pages_with_its_own_names(hub: Hub, ask: Ask) -> None:
    app = portal_app(hub, applied)
    page = ask(app, "GET", "/docs/est.html")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert f"{hub.terms.endpoint}/.well-known/est/simplereenroll" in page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]
    twin = ask(app, "GET", "/docs/est.html.md")
    assert twin.headers["content-type"] == "text/markdown; charset=utf-8"
    assert f"{hub.terms.endpoint}/.well-known/est/simplereenroll" in twin.text


def test_the_beginning_and_llms_txt_are_where_they_are_looked_for(hub: Hub, ask: Ask) -> None:
    app = portal_app(hub, applied)
    assert ask(app, "GET", "/docs").headers["location"] == "/docs/index.html"
    assert ask(app, "GET", "/docs/").headers["location"] == "/docs/index.html"
    assert ask(app, "GET", "/llms.txt").headers["location"] == "/docs/llms.txt"
    assert ask(app, "GET", "/docs/llms.txt").text.startswith("# Bothways\n")


def test_each_link_of_llms_txt_leads_to_a_page_as_markdown_and_without_the_end_to_one_as_html(
    hub: Hub, ask: Ask
) -> None:
    app = portal_app(hub, applied)
    links = re.findall(r"\]\(([^)]+)\)", ask(app, "GET", "/docs/llms.txt").text)
    assert len(links) > 60
    for link in links:
        place = urljoin("/docs/llms.txt", link)
        answer = ask(app, "GET", place)
        assert (place, answer.status_code, answer.text[:2]) == (place, 200, "# ")
        if place.endswith(".html.md"):
            assert ask(app, "GET", place.removesuffix(".md")).headers["content-type"] == "text/html; charset=utf-8"


def test_a_question_is_answered_without_scripts_and_shown_as_text(hub: Hub, ask: Ask) -> None:
    answer = ask(portal_app(hub, applied), "GET", "/docs/search.html?q=CSR-KEY-01+%3Cscript%3E")
    assert '<a href="findings.html#csr-key-01">CSR-KEY-01</a>' in answer.text
    assert "<script" not in answer.text
    assert ask(portal_app(hub, applied), "GET", f"/docs/search.html?q={'x' * 301}").status_code == 422


def test_a_drawing_may_have_its_styles_and_nothing_else(hub: Hub, ask: Ask) -> None:
    answer = ask(portal_app(hub, applied), "GET", "/docs/flows.svg")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'unsafe-inline'")


def test_what_is_not_there_and_what_is_outside_is_not_found(hub: Hub, ask: Ask) -> None:
    app = portal_app(hub, applied)
    for path in ("/docs/nothing.html", "/docs/../hub.toml", "/docs/%2e%2e/hub.toml", "/docs/pages/est.md"):
        assert ask(app, "GET", path).status_code == 404


def test_who_has_signed_in_reads_their_own_identifier(visit: Visit, other: str) -> None:
    page = visit(Role.CUSTOMER_MEMBER, other).get("/docs/est.html").text
    assert f"bothways customer enrolment-password {other}" in page


def test_the_portal_has_the_box_to_ask_and_leads_to_the_documentation(visit: Visit) -> None:
    page = visit().get("/account").text
    assert '<form class="ask" action="/docs/search.html" method="get" role="search">' in page
    assert 'href="/docs/index.html"' in page
