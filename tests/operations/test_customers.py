"""Customers: registered once for ever, suspended in both directions, removed with everything that was theirs."""

from collections.abc import Callable

import pytest
from tests.operations.conftest import Audit

from bothways.errors import Conflict, NotFound, Refused
from bothways.operations.certificates import show_certificate
from bothways.operations.chains import show_chain
from bothways.operations.customers import (
    add_customer,
    list_customers,
    remove_customer,
    resume_customer,
    show_customer,
    suspend_customer,
)
from bothways.operations.data_plane import hub_state
from bothways.operations.endpoints import set_endpoint, show_endpoint
from bothways.operations.hub import Hub
from bothways.operations.services import add_service, grant_service, list_services
from bothways.registry.customer import CustomerKind
from bothways.registry.service import Service
from bothways.store.certificates import StoredCertificate
from bothways.store.chains import StoredChain

Connect = Callable[[str], StoredCertificate]
Endorse = Callable[[str, str], StoredChain]


def test_a_customer_is_registered_once(hub: Hub, issuer: str, audited: Audit) -> None:
    with pytest.raises(Conflict, match="exists already"):
        add_customer(hub, issuer, CustomerKind.MERCHANT, "Somebody Else")
    assert show_customer(hub, issuer).customer.organization == "First Bank"
    assert audited()[-1] == ("customer.add", issuer)


def test_wrong_values_are_all_named(hub: Hub) -> None:
    with pytest.raises(Refused) as refused:
        add_customer(hub, "12/34", CustomerKind.ISSUER, "\n")
    assert [finding.id for finding in refused.value.findings] == ["CUSTOMER-01", "CUSTOMER-02"]
    assert list_customers(hub) == ()


def test_a_new_customer_has_both_flows_before_it(hub: Hub, issuer: str) -> None:
    view = show_customer(hub, issuer)
    assert (view.assessment.inbound.state, view.assessment.outbound.state) == ("not started", "not started")
    assert view.document() | {"inbound": None, "outbound": None} == {
        "customer": "12345678",
        "kind": "issuer",
        "organization": "First Bank",
        "suspended": False,
        "inbound": None,
        "outbound": None,
    }


def test_the_list_says_what_each_view_says(hub: Hub, issuer: str, merchant: str, connect: Connect) -> None:
    connect(merchant)
    views = list_customers(hub)
    assert [each.customer.tsp_id for each in views] == [issuer, merchant]
    assert [each.assessment.inbound.state for each in views] == ["not started", "established"]
    assert [each.document() for each in views] == [show_customer(hub, each).document() for each in (issuer, merchant)]


def test_a_suspended_customer_is_gone_from_the_data_plane_and_comes_back(
    hub: Hub, issuer: str, connect: Connect, endorse: Endorse, audited: Audit
) -> None:
    certificate = connect(issuer)
    endorse(issuer, "https://bank.example")
    before = hub_state(hub)
    assert [each.uri_id for each in before.identities] == [certificate.uri_id]
    suspend_customer(hub, issuer, "tested")
    state = hub_state(hub)
    assert (state.identities, state.customers) == ((), ())
    assert show_customer(hub, issuer).assessment.inbound.state == "suspended"
    resume_customer(hub, issuer)
    assert hub_state(hub) == before
    assert audited()[-2:] == [("customer.suspend", issuer), ("customer.resume", issuer)]


def test_suspension_touches_no_other_customer(hub: Hub, issuer: str, merchant: str, connect: Connect) -> None:
    connect(issuer)
    kept = connect(merchant)
    suspend_customer(hub, issuer, "tested")
    assert [each.uri_id for each in hub_state(hub).identities] == [kept.uri_id]


def test_a_removed_customer_leaves_nothing_that_works(
    hub: Hub, issuer: str, connect: Connect, endorse: Endorse, audited: Audit
) -> None:
    certificate, chain = connect(issuer), endorse(issuer, "https://bank.example")
    add_service(hub, Service("tokens", "/tokens", "http://127.0.0.1:1"))
    grant_service(hub, "tokens", issuer)
    remove_customer(hub, issuer, "tested")
    state = hub_state(hub)
    assert (state.identities, state.customers, state.services[0].identities) == ((), (), ())
    assert show_certificate(hub, certificate.serial).revoked_reason == "cessationOfOperation"
    assert show_chain(hub, chain.id).state == "withdrawn"
    assert list_services(hub)[0][1] == 0
    assert list_customers(hub) == ()
    assert audited()[-5:] == [
        ("certificate.revoke", certificate.serial),
        ("chain.withdraw", str(chain.id)),
        ("service.withdraw", "tokens"),
        ("endpoint.remove", issuer),
        ("customer.remove", issuer),
    ]


def test_an_identifier_is_never_given_again_but_a_host_is(hub: Hub, issuer: str, merchant: str) -> None:
    set_endpoint(hub, issuer, "https://bank.example")
    remove_customer(hub, issuer, "tested")
    with pytest.raises(Conflict, match="never used again"):
        add_customer(hub, issuer, CustomerKind.ISSUER, "First Bank")
    set_endpoint(hub, merchant, "https://bank.example")
    assert show_endpoint(hub, merchant).host == "bank.example"


@pytest.mark.parametrize(
    "act",
    [
        show_customer,
        lambda hub, id_: remove_customer(hub, id_, "tested"),
        lambda hub, id_: suspend_customer(hub, id_, "tested"),
        resume_customer,
    ],
)
def test_nobody_is_not_found(hub: Hub, act: Callable[[Hub, str], object]) -> None:
    with pytest.raises(NotFound, match="there is no customer 00000000"):
        act(hub, "00000000")
