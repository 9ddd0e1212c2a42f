"""Pages are sent with headers that let nothing else in; files are found by their content, and texts are escaped."""

import re
import shlex
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from bench.portal_site import applied, csr, furnish, running
from bench.screenshots import _pages
from tests.foreign import english_left, foreign, in_foreign_words
from tests.web.pages.conftest import Visit, Visitor

from bothways.contract.document import Environment, KeyType
from bothways.errors import Refused
from bothways.operations.certificates import withdraw_approval
from bothways.operations.chains import endorse_chain, refuse_chain, submit_chain, withdraw_chain
from bothways.operations.contacts import add_contact
from bothways.operations.customers import add_customer, suspend_customer
from bothways.operations.endpoints import refuse_endpoint, submit_endpoint
from bothways.operations.hub import Hub
from bothways.operations.keys import ban_keys
from bothways.operations.people import add_person
from bothways.operations.requests import approve_request, refuse_request, submit_request
from bothways.operations.rollout import hold_back
from bothways.operations.services import add_service
from bothways.pki.chain import certificate_pem
from bothways.registry.access import Role
from bothways.registry.contact import ContactKind
from bothways.registry.customer import CustomerKind
from bothways.registry.service import Service
from bothways.store.submitted_endpoints import SubmittedEndpoint
from bothways.web.portal import portal_app
from bothways.xds.staging import HeldBack

BANK = "12345678"


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


def test_markup_and_characters_that_are_obeyed_are_text_on_every_page(
    hub: Hub, operator: Visitor, make_csr: Callable[..., bytes], make_ca: Callable[..., Any]
) -> None:
    markup, reason = "<img src=x>&\"'", "<script>alert(1)</script>\x07\x1b[2J\u202e"
    add_customer(hub, BANK, CustomerKind.ISSUER, markup)
    add_person(hub, "eve@hub.example", markup, Role.AUDITOR)
    refuse_request(hub, submit_request(hub, BANK, make_csr()).id, reason)
    withdraw_approval(hub, approve_request(hub, submit_request(hub, BANK, make_csr()).id).request_id, reason)
    pem = [certificate_pem(make_ca(name)[1]).encode() for name in ("One", "Two")]
    refuse_chain(hub, submit_chain(hub, BANK, pem[0]).id, reason)
    withdraw_chain(hub, endorse_chain(hub, submit_chain(hub, BANK, pem[1]).id).id, reason)
    waiting = submit_endpoint(hub, BANK, "https://callbacks.bank.example")
    assert isinstance(waiting, SubmittedEndpoint)
    refuse_endpoint(hub, waiting.id, reason)
    suspend_customer(hub, BANK, reason)
    ban_keys(hub, ["0" * 64], reason)
    hold_back(hub, HeldBack("v1", "node-1", reason, "f3a9"))
    add_contact(hub, BANK, ContactKind.WEBHOOK, "https://hooks.example/<script>")
    own = ["home", "requests", "certificates", "trust", "own-ca", "endpoint", "activity", "services", "contacts"]
    files = ["files", "files/instructions.html"]
    reviews = ["reviews", "reviews/requests/1", "reviews/chains/1", "reviews/endpoints/1"]
    of_hub = [*reviews, "customers", "people", "audit", "tokens", "contacts", "nodes"]
    places = [*of_hub, *(f"customers/{BANK}/{each}" for each in own + files)]
    pages = {each: operator.get(f"/{each}") for each in places}
    for place, answer in pages.items():
        assert answer.status_code == 200, place
        assert not re.search("<img src|<script>|[\x07\x1b\u202e]", answer.text), place
    assert shlex.quote(markup) in operator.said(pages[f"customers/{BANK}/requests"])
    said = "&lt;script&gt;alert(1)&lt;/script&gt;\\x07\\x1b[2J\\u202e"
    wanted = {f"customers/{BANK}/{each}" for each in ("requests", "trust", "endpoint")} | {"audit"}
    assert {each for each, answer in pages.items() if said in answer.text} >= wanted
    called = {each for each, answer in pages.items() if "&lt;img src=x&gt;&amp;&#34;&#39;" in answer.text}
    assert called >= {"customers", "people", "reviews/requests/1", f"customers/{BANK}/files/instructions.html"}


@pytest.mark.parametrize("name", ["<b>", "pay\x1bments", "tokens\u202e", "a b"])
def test_the_names_of_services_and_mailboxes_hold_no_such_thing(hub: Hub, name: str) -> None:
    with pytest.raises(Refused):
        add_service(hub, Service(name, "/tokens", "http://127.0.0.1:9000"))
    with pytest.raises(Refused):
        add_contact(hub, None, ContactKind.EMAIL, f"{name}@hub.example")


def test_the_environment_is_on_every_page(hub: Hub, visit: Visit) -> None:
    del visit
    assert "<strong>PPR</strong> <span>Pre-production" in Visitor(hub).get("/").text


def test_a_line_with_an_address_breaks_between_its_words(operator: Visitor, issuer: str) -> None:
    operator.post(f"/customers/{issuer}/endpoint", url="https://callbacks.bank.example/hub")
    page = operator.get(f"/customers/{issuer}/endpoint").text
    assert "https://<wbr>callbacks<wbr>.bank<wbr>.example/<wbr>hub waits" in page


NAMES = re.compile(
    r"""(?<![\w-])(?:
    # Customers, people, and what they typed.
    First\ Bank|Corner\ Shop|Harbour\ Bank|Northern\ Credit|Alpine\ Savings|Metro\ Market|Riverside\ Bank|Payments|Paris
    |Ile-de-France|FR|Ann\ Operator|Bob\ Martin|Rita\ Reviewer|Eve\ Dupont|Root|ann|bob|rita|eve|ci|tester|hub\ for|tsh
    # Hosts, nodes, services and files.
    |[a-z-]+(\.[a-z-]+)+|https|hub|oslo|paris|rome|pki|events|tokens|reports|docs|own
    |RFC|section|appendix|ENDPOINT|BUNDLE|TOKEN|CERTIFICATE|CUSTOMER|PERSON
    # Names of the field, which are the same in every language, and of rules, roles' actions and programs.
    |PPR|PRD|CA|CN|OU|ST|TLS|TLSv|TLSMA-ECDSA|ECDSA|RSA|UTC|Client|server|[A-Z]+(-[A-Z]+)+|[a-z]+-[a-z]+(-[a-z]+)*|probe
    |OpenSSL|nginx|Apache|HAProxy|Envoy|curl|Python|Java|Go|Node\.js|NET|Mozilla|Linux|Chromium|bothways
    # Fingerprints, keys and links; what Envoy and the system said.
    |[a-fA-F]{2}|[A-Z]{2,4}|[a-f]{3,16}|CERTIFICATE_VERIFY_FAILED|(inbound:\ )?cannot\ bind|the\ address\ is\ in\ use
    )(?![\w-])""",
    re.VERBOSE,
)


def left(page: str) -> list[str]:
    """Return what stayed English on a page, without names."""
    words = (NAMES.sub("", each) for each in english_left(page))
    return [each for each in words if re.search(r"[A-Za-z]{2,}", each)]


def test_in_another_language_nothing_stays_english_but_names(hub: Hub) -> None:
    furnish(hub)
    with in_foreign_words():
        for cookie, paths in _pages(hub).values():
            visitor = Visitor(hub, portal_app(hub, applied, lambda: running(hub)))
            visitor.cookies[f"__Host-bothways-{hub.environment.value.lower()}"] = cookie or ""
            # The lines of the audit are evidence: they stay as they were written.
            for path in (each.partition("#")[0] for each in paths if not each.startswith(("docs/", "audit"))):
                assert left(visitor.get(f"/{path}").text) == [], path


WRONG: dict[str, dict[str, str]] = {
    "/sign-in": {"email": "ann@hub.example", "password": "wrong", "code": "000000"},
    f"/customers/{BANK}/requests/check": {"csr": csr("7", "Second Bank", Environment.PRD, weak=True).decode()},
    f"/customers/{BANK}/requests": {"csr": "-----BEGIN CERTIFICATE REQUEST-----\nAAAA"},
    f"/customers/{BANK}/requests?key=rsa&country=France&locality=": {},
    f"/customers/{BANK}/trust/chain": {"chain": "no chain"},
    f"/customers/{BANK}/endpoint": {"url": "http://localhost:1/a?b#c"},
    f"/customers/{BANK}/own-ca/request": {"C": "France", "again": "yes"},
    f"/customers/{BANK}/own-ca/install": {"certificate": "nothing"},
    f"/customers/{BANK}/files/import": {"file": "nothing"},
    f"/customers/{BANK}/contacts": {"kind": "webhook", "address": "nobody"},
    f"/customers/{BANK}/suspend": {"reason": ""},
    "/reviews/requests/3/refuse": {"reason": ""},
    "/reviews/requests/1/approve": {},
    "/reviews/requests/999/approve": {},
    "/reviews/chains/2/approve": {"pins": "no pin"},
    "/customers": {"tsp_id": "a b", "organization": " ", "kind": "issuer"},
    "/people": {"name": "", "email": "x", "role": "operator", "tsp_id": BANK},
    "/tokens": {"name": "CI!", "role": "operator", "days": "9999", "scope": "hub-read"},
    "/nodes/rome/withdraw": {"reason": "tested"},
    "/nowhere": {},
}


def test_in_another_language_what_is_wrong_is_said_in_it(hub: Hub, operator: Visitor) -> None:
    furnish(hub)
    typed = {"France", "Second Bank", "CI", "no", "pin", "no pin", "nobody", "nothing", "localhost", "http", "nowhere"}
    own = {"Ann", "operator"}
    with in_foreign_words():
        for path, values in WRONG.items():
            answer = operator.get(path) if "?" in path else operator.post(path, **values)
            assert answer.status_code == 200 if "?" in path else answer.status_code >= 303, path
            assert {*left(answer.text)} <= typed | own, path


def test_in_another_language_a_key_is_described_in_it(
    hub: Hub, operator: Visitor, issuer: str, make_csr: Callable[..., bytes], rsa_key: Any
) -> None:
    name = hub.terms.request.expected_common_name(KeyType.RSA, issuer, hub.environment)
    pem = make_csr(rsa_key, CN=name)
    checked = f"/customers/{issuer}/requests/check"
    with in_foreign_words():
        for page in (operator.post(checked, csr=pem.decode()), _reviewed(hub, operator, issuer, pem)):
            assert page.status_code == 200
            assert "RSA" in page.text
            assert foreign("bits and exponent") in page.text
            assert "bits and exponent" not in page.text


def _reviewed(hub: Hub, operator: Visitor, issuer: str, pem: bytes) -> httpx2.Response:
    return operator.get(f"/reviews/requests/{submit_request(hub, issuer, pem).id}")
