"""Pages are sent with headers that let nothing else in; files are found by their content, and texts are escaped."""

import re

from tests.web.pages.conftest import Visit, Visitor

from bothways.operations.customers import add_customer
from bothways.operations.hub import Hub
from bothways.registry.customer import CustomerKind


def test_a_page_forbids_everything_that_is_not_ours(hub: Hub) -> None:
    headers = Visitor(hub).get("/sign-in").headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert (headers["cache-control"], headers["x-content-type-options"]) == ("no-store", "nosniff")
    assert headers["strict-transport-security"]


def test_no_page_has_scripts_or_styles_inside(operator: Visitor, issuer: str) -> None:
    for path in ("/reviews", "/customers", f"/customers/{issuer}/home", f"/customers/{issuer}/certificates", "/people"):
        page = operator.get(path).text
        assert not re.search(r"<style|<script(?! src=)| style=| on[a-z]+=|javascript:", page)


def test_a_file_is_kept_for_good_under_the_address_of_its_content(hub: Hub) -> None:
    visitor = Visitor(hub)
    [address] = re.findall(r'href="(/static/[0-9a-f]+/portal.css)"', visitor.get("/").text)
    answer = visitor.get(address)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert "immutable" in answer.headers["cache-control"]
    assert visitor.get("/static/000000000000/portal.css").status_code == 404
    assert visitor.get("/static/000000000000/..%2fview.py").status_code == 404


def test_what_people_typed_is_text_and_no_markup(hub: Hub, operator: Visitor) -> None:
    add_customer(hub, "1", CustomerKind.ISSUER, "<script>alert(1)</script>")
    page = operator.get("/customers").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_the_environment_is_on_every_page(hub: Hub, visit: Visit) -> None:
    del visit
    assert "<strong>PPR</strong> <span>Pre-production" in Visitor(hub).get("/").text
