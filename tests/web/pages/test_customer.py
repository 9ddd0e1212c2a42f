"""A customer's pages show its own things, each with what comes next; nobody else's are there."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from tests.postgresql import in_files
from tests.web.pages.conftest import OTHER, Visit, Visitor

from bothways.operations.certificates import certificate_seen
from bothways.operations.customers import show_customer, suspend_customer
from bothways.operations.hub import OBSERVATIONS_FILE, Hub
from bothways.operations.requests import approve_request, submit_request
from bothways.operations.services import add_service, grant_service
from bothways.registry.access import Role
from bothways.registry.flow import Flow
from bothways.registry.service import Service
from bothways.store.certificates import StoredCertificate

PAGES = ("home", "requests", "certificates", "trust", "endpoint", "activity", "services")


@pytest.fixture
def certificate(hub: Hub, issuer: str, make_csr: Callable[..., bytes]) -> StoredCertificate:
    return approve_request(hub, submit_request(hub, issuer, make_csr()).id)


@pytest.mark.parametrize("role", [Role.CUSTOMER_ADMINISTRATOR, Role.CUSTOMER_MEMBER])
def test_every_page_of_another_customer_is_not_there(visit: Visit, issuer: str, other: str, role: Role) -> None:
    visitor = visit(role, issuer)
    for page in (*PAGES, "trust/client-ca.crt", "trust/server-ca.crt"):
        assert visitor.get(f"/customers/{issuer}/{page}").status_code == 200
        assert visitor.get(f"/customers/{other}/{page}").status_code == 404
        assert visitor.get(f"/customers/99999999/{page}").status_code == 404


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.REVIEWER, Role.AUDITOR])
def test_the_people_of_the_hub_see_every_customer(visit: Visit, issuer: str, other: str, role: Role) -> None:
    visitor = visit(role)
    for tsp_id in (issuer, other):
        assert {visitor.get(f"/customers/{tsp_id}/{page}").status_code for page in PAGES} == {200}


def test_home_shows_each_step_with_one_sentence_and_one_button(
    hub: Hub, bank: Visitor, issuer: str, make_csr: Callable[..., bytes]
) -> None:
    page = bank.get(f"/customers/{issuer}/home")
    assert page.text.count('<li class="wait">') == 6
    assert page.text.count('class="button') == 6
    assert "Submit a request (CSR)." in bank.said(page)
    record = approve_request(hub, submit_request(hub, issuer, make_csr()).id)
    certificate_seen(hub, record.fingerprint or "")
    page = bank.get(f"/customers/{issuer}/home")
    assert (page.text.count('<li class="good">'), page.text.count('<li class="wait">')) == (3, 3)
    suspend_customer(hub, issuer, "tested")
    assert "This customer is suspended" in bank.get(f"/customers/{issuer}/home").text


def test_the_commands_are_filled_in_for_this_customer(bank: Visitor, issuer: str) -> None:
    asked = f"/customers/{issuer}/requests?key=rsa&shell=powershell&country=FR&state=S&locality=L&unit=U"
    page = bank.said(bank.get(asked))
    assert "TLSMA-RSA/12345678/PPR" in page
    assert "$ErrorActionPreference" in page
    assert "rsa_keygen_bits:4096" in page
    page = bank.said(bank.get(asked.replace("FR", "France")))
    assert "CSR-SUBJECT-02" in page
    assert "rsa_keygen_bits" not in page


def test_a_certificate_is_downloaded_with_its_chain(bank: Visitor, issuer: str, certificate: StoredCertificate) -> None:
    answer = bank.get(f"/customers/{issuer}/certificates/{certificate.serial}/tls.crt")
    assert answer.headers["content-disposition"] == 'attachment; filename="tls.crt"'
    assert len(x509.load_pem_x509_certificates(answer.content)) == 2
    page = bank.get(f"/customers/{issuer}/certificates").text
    assert certificate.serial in page
    assert 'class="bar-good"' in page


def test_a_certificate_of_another_customer_is_not_there(
    visit: Visit, operator: Visitor, other: str, certificate: StoredCertificate
) -> None:
    path = f"/customers/{other}/certificates/{certificate.serial}"
    theirs = visit(Role.CUSTOMER_ADMINISTRATOR, OTHER)
    for visitor in (theirs, operator):
        assert visitor.get(f"{path}/tls.crt").status_code == 404
        assert visitor.post(f"{path}/revoke", reason="keyCompromise").status_code == 404


def test_a_service_says_what_it_lacks(hub: Hub, bank: Visitor, issuer: str) -> None:
    for name, needs in (("tokens", {Flow.INBOUND}), ("events", {*Flow}), ("reports", {Flow.INBOUND})):
        add_service(hub, Service(name, f"/{name}", "http://127.0.0.1:9000", frozenset(needs)))
    for name in ("tokens", "events"):
        grant_service(hub, name, issuer)
    page = " ".join(bank.said(bank.get(f"/customers/{issuer}/services")).split())
    assert "events https://" in page
    assert "granted, not reachable the inbound flow , the outbound flow" in page
    assert "not granted Ask the hub to grant it." in page


@in_files
def test_activity_without_its_file_says_so(hub: Hub, bank: Visitor, issuer: str) -> None:
    (hub.directory / OBSERVATIONS_FILE).mkdir()
    answer = bank.get(f"/customers/{issuer}/activity")
    assert (answer.status_code, "cannot be read at the moment" in answer.text) == (200, True)
    assert show_customer(hub, issuer)


def test_what_is_older_than_a_page_is_behind_a_button(
    hub: Hub, bank: Visitor, issuer: str, make_csr: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bothways.web.pages.customer._SHOWN", 1)
    serials = [approve_request(hub, submit_request(hub, issuer, make_csr()).id).serial for _ in range(2)]
    for page, shown in (("requests", (">2</th>", ">1</th>")), ("certificates", (serials[1], serials[0]))):
        first = bank.get(f"/customers/{issuer}/{page}").text
        assert [each in first for each in shown] == [True, False]
        assert 'href="?before=2"' in first
        last = bank.get(f"/customers/{issuer}/{page}?before=2").text
        assert [each in last for each in shown] == [False, True]
        assert "?before=" not in last
        # More digits than Python makes a number of.
        assert bank.get(f"/customers/{issuer}/{page}?before={'9' * 5000}").status_code == 422


def test_who_may_not_hand_in_is_told_who_may(visit: Visit, issuer: str) -> None:
    member, auditor = visit(Role.CUSTOMER_MEMBER, issuer), visit(Role.AUDITOR)
    for page, said in (
        ("trust", "The role of this sign-in looks at chains"),
        ("endpoint", "The role of this sign-in looks at servers"),
    ):
        shown = member.said(member.get(f"/customers/{issuer}/{page}"))
        assert said in shown
        assert "An administrator of your organization does." in shown
        shown = auditor.said(auditor.get(f"/customers/{issuer}/{page}"))
        assert said in shown
        assert "your organization" not in shown


def test_a_successor_that_is_in_use_leaves_nothing_to_do(
    hub: Hub, bank: Visitor, issuer: str, make_csr: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = replace(hub, now=lambda: hub.now() - timedelta(days=376))
    approve_request(earlier, submit_request(earlier, issuer, make_csr()).id)
    page = f"/customers/{issuer}/certificates"
    assert "Renew it now." in bank.said(bank.get(page))
    successor = approve_request(hub, submit_request(hub, issuer, make_csr()).id)
    assert "is there: install it, and call the hub once." in bank.said(bank.get(page))
    certificate_seen(hub, successor.fingerprint or "")
    assert "is in use: once all your hosts have it, nothing is left to do." in bank.said(bank.get(page))
    # Also where it stands on a page of its own.
    monkeypatch.setattr("bothways.web.pages.customer._SHOWN", 1)
    older = bank.said(bank.get(f"{page}?before={successor.request_id}"))
    assert ("is in use: once all" in older, "Renew it now." in older) == (True, False)


@pytest.mark.parametrize("place", PAGES)
def test_whose_pages_they_are_is_said_to_the_hub_alone(
    operator: Visitor, bank: Visitor, issuer: str, place: str
) -> None:
    path, note = f"/customers/{issuer}/{place}", "“you” and “your” are First Bank."
    assert (note in operator.said(operator.get(path)), note in bank.said(bank.get(path))) == (True, False)


def test_a_reader_of_the_hub_is_told_of_the_sign_in_and_not_of_the_customer(visit: Visit, issuer: str) -> None:
    auditor = visit(Role.AUDITOR)
    for place in ("requests", "trust", "endpoint"):
        said = auditor.said(auditor.get(f"/customers/{issuer}/{place}"))
        assert ("The role of this sign-in looks at" in said, "your role" in said.lower()) == (True, False)
