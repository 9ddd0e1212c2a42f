"""Pages are sent with headers that let nothing else in; files are found by their content, and texts are escaped."""

import re
from collections.abc import Callable

from tests.web.pages.conftest import Visit, Visitor

from bothways.operations.customers import add_customer
from bothways.operations.hub import Hub
from bothways.operations.people import add_person
from bothways.registry.access import Role
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


def test_what_people_typed_is_text_and_no_markup(hub: Hub, operator: Visitor, make_csr: Callable[..., bytes]) -> None:
    markup, typed = "<script>alert(1)</script>", make_csr(OU="<b onload=x>")
    add_customer(hub, "12345678", CustomerKind.ISSUER, markup)
    add_person(hub, "eve@hub.example", markup, Role.AUDITOR)
    pages = {
        "name of a customer": operator.get("/customers"),
        "name of a person": operator.get("/people"),
        "subject": operator.post("/customers/12345678/requests/check", csr=typed.decode()),
        "search": operator.get(f"/customers?find={markup}"),
        "question": operator.get(f"/docs/search.html?q={markup}"),
        "address": operator.post("/customers/12345678/endpoint", url=markup),
    }
    for where, answer in pages.items():
        assert "<script>alert" not in answer.text, where
        assert "<b onload" not in answer.text, where
        assert "&lt;" in answer.text, where


def test_the_environment_is_on_every_page(hub: Hub, visit: Visit) -> None:
    del visit
    assert "<strong>PPR</strong> <span>Pre-production" in Visitor(hub).get("/").text


def test_a_line_with_an_address_breaks_between_its_words(operator: Visitor, issuer: str) -> None:
    operator.post(f"/customers/{issuer}/endpoint", url="https://callbacks.bank.example/hub")
    page = operator.get(f"/customers/{issuer}/endpoint").text
    assert "https://<wbr>callbacks<wbr>.bank<wbr>.example/<wbr>hub waits" in page
