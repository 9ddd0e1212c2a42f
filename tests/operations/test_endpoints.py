"""Endpoints: one host, one customer; and only a probe of the present address proves the outbound flow."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from tests.operations.conftest import Audit

from bothways.connectivity.facts import ProbeFact
from bothways.errors import Conflict, NotFound, Refused
from bothways.operations.chains import endorse_chain, submit_chain, withdraw_chain
from bothways.operations.customers import remove_customer, show_customer
from bothways.operations.data_plane import hub_state
from bothways.operations.endpoints import (
    approve_endpoint,
    record_probe,
    refuse_endpoint,
    set_endpoint,
    show_endpoint,
    submit_endpoint,
    waiting_endpoints,
)
from bothways.operations.hub import Hub
from bothways.pki.chain import certificate_pem
from bothways.registry.endpoint import Endpoint
from bothways.store.chains import StoredChain
from bothways.store.submitted_endpoints import EndpointState, SubmittedEndpoint

Endorse = Callable[[str, str], StoredChain]


def test_an_endpoint_is_stored_and_replaced(hub: Hub, issuer: str, audited: Audit) -> None:
    set_endpoint(hub, issuer, "https://bank.example:8443/hub/")
    assert show_endpoint(hub, issuer) == Endpoint("bank.example", 8443, "/hub")
    set_endpoint(hub, issuer, "https://calls.bank.example")
    assert show_endpoint(hub, issuer) == Endpoint("calls.bank.example", 443, "")
    assert audited()[-2:] == [("endpoint.set", issuer), ("endpoint.set", issuer)]


@pytest.mark.parametrize("url", ["https://bank.example", "https://BANK.example:8443/other", "https://bank.example./"])
def test_the_host_of_another_customer_is_refused(hub: Hub, issuer: str, merchant: str, url: str) -> None:
    set_endpoint(hub, issuer, "https://bank.example")
    with pytest.raises(Refused) as refused:
        set_endpoint(hub, merchant, url)
    assert [finding.id for finding in refused.value.findings] == ["ENDPOINT-05"]
    with pytest.raises(NotFound):
        show_endpoint(hub, merchant)


def test_any_port_is_for_the_developers_machine_alone(hub: Hub, issuer: str) -> None:
    strict = replace(hub, settings=replace(hub.settings, danger_outbound_any_port=False))
    with pytest.raises(Refused) as refused:
        set_endpoint(strict, issuer, "https://bank.example:9000")
    assert [finding.id for finding in refused.value.findings] == ["ENDPOINT-03"]
    assert set_endpoint(strict, issuer, "https://bank.example:8443").port == 8443
    assert set_endpoint(hub, issuer, "https://bank.example:9000").port == 9000


@pytest.mark.parametrize(
    "url", ["https://api.ppr.hub.localhost", "https://ppr.hub.localhost", "https://x.ppr.hub.localhost"]
)
def test_the_hubs_own_names_are_nobodys_server(hub: Hub, issuer: str, url: str) -> None:
    with pytest.raises(Refused) as refused:
        set_endpoint(hub, issuer, url)
    assert [finding.id for finding in refused.value.findings] == ["ENDPOINT-08"]


def test_names_that_only_this_machine_knows_are_for_the_developers_machine_alone(hub: Hub, issuer: str) -> None:
    none = replace(hub.settings, danger_outbound_loopback=False, danger_outbound_any_port=False)
    with pytest.raises(Refused) as refused:
        set_endpoint(replace(hub, settings=none), issuer, "https://bank.localhost")
    assert [finding.id for finding in refused.value.findings] == ["ENDPOINT-07"]
    assert set_endpoint(hub, issuer, "https://bank.localhost").host == "bank.localhost"


def submitted(hub: Hub, tsp_id: str, url: str) -> SubmittedEndpoint:
    found = submit_endpoint(hub, tsp_id, url)
    assert isinstance(found, SubmittedEndpoint)
    return found


def proved(hub: Hub, tsp_id: str) -> None:
    record_probe(hub, tsp_id, ProbeFact(show_endpoint(hub, tsp_id).address, hub.now(), ok=True, seen="TLSv1.3"))
    assert [each.established for each in hub_state(hub).customers] == [True]


def test_a_first_server_waits_for_review_and_is_called_once_it_is_approved_and_proved(
    hub: Hub, issuer: str, make_ca: Callable[..., Any], audited: Audit
) -> None:
    endorse_chain(hub, submit_chain(hub, issuer, certificate_pem(make_ca("Root")[1]).encode()).id)
    first = submitted(hub, issuer, "https://bank.example")
    assert (first.state, hub_state(hub).customers) == (EndpointState.SUBMITTED, ())
    assert "waits for the operator's review" in show_customer(hub, issuer).assessment.outbound.steps[0].said
    assert waiting_endpoints(hub) == waiting_endpoints(hub, issuer) == (first,)
    approved = approve_endpoint(hub, first.id)
    assert (approved.state, approved.decided_by, waiting_endpoints(hub)) == (EndpointState.APPROVED, "tester", ())
    assert [each.established for each in hub_state(hub).customers] == [False]
    proved(hub, issuer)
    assert audited()[-3:] == [("endpoint.submit", "1"), ("endpoint.approve", issuer), ("probe", issuer)]


@pytest.mark.parametrize("url", ["https://calls.bank.example/hub", "https://bank.example:8443/hub"])
def test_another_host_or_port_waits_and_what_is_called_stays_until_it_is_approved(
    hub: Hub, issuer: str, endorse: Endorse, url: str
) -> None:
    endorse(issuer, "https://bank.example/hub")
    proved(hub, issuer)
    next_one = submitted(hub, issuer, url)
    assert show_endpoint(hub, issuer).url == "https://bank.example/hub"
    assert [each.established for each in hub_state(hub).customers] == [True]
    approve_endpoint(hub, next_one.id)
    assert show_endpoint(hub, issuer).url == url
    assert [each.established for each in hub_state(hub).customers] == [False]
    proved(hub, issuer)


def test_another_path_is_in_force_at_once_and_loses_nothing(
    hub: Hub, issuer: str, endorse: Endorse, audited: Audit
) -> None:
    endorse(issuer, "https://bank.example/hub")
    proved(hub, issuer)
    assert submit_endpoint(hub, issuer, "https://bank.example/v2") == Endpoint("bank.example", 443, "/v2")
    assert [(each.path, each.established) for each in hub_state(hub).customers] == [("/v2", True)]
    assert audited()[-1] == ("endpoint.path", issuer)
    submit_endpoint(hub, issuer, "https://bank.example/v2/")
    set_endpoint(hub, issuer, "https://bank.example")
    assert [(each.path, each.established) for each in hub_state(hub).customers] == [("", True)]
    assert [action for action, _ in audited()].count("endpoint.path") == 1


def test_a_host_that_was_given_up_has_to_be_proved_again_when_it_comes_back(
    hub: Hub, issuer: str, merchant: str, endorse: Endorse
) -> None:
    endorse(issuer, "https://bank.example")
    proved(hub, issuer)
    set_endpoint(hub, issuer, "https://calls.bank.example")
    set_endpoint(hub, merchant, "https://bank.example")
    set_endpoint(hub, merchant, "https://shop.example")
    set_endpoint(hub, issuer, "https://bank.example")
    assert [each.established for each in hub_state(hub).customers] == [False]
    proved(hub, issuer)


def test_a_refused_server_changes_nothing_and_keeps_its_reason(
    hub: Hub, issuer: str, merchant: str, audited: Audit
) -> None:
    set_endpoint(hub, issuer, "https://bank.example")
    waiting = submitted(hub, issuer, "https://calls.bank.example")
    refused = refuse_endpoint(hub, waiting.id, "nobody there answers the phone")
    assert (refused.state, refused.reason) == (EndpointState.REFUSED, "nobody there answers the phone")
    assert show_endpoint(hub, issuer).host == "bank.example"
    assert audited()[-1] == ("endpoint.refuse", str(waiting.id))
    for act in (approve_endpoint, partial(refuse_endpoint, reason="again")):
        with pytest.raises(Conflict, match="is refused, not submitted"):
            act(hub, waiting.id)
    # Nobody waits for it any more.
    set_endpoint(hub, merchant, "https://calls.bank.example")


def test_the_same_again_is_the_same_and_another_takes_its_place(hub: Hub, issuer: str, audited: Audit) -> None:
    first = submitted(hub, issuer, "https://bank.example")
    assert submitted(hub, issuer, "https://BANK.example/") == first
    second = submitted(hub, issuer, "https://calls.bank.example")
    assert waiting_endpoints(hub) == (second,)
    assert audited()[-2:] == [("endpoint.replace", str(first.id)), ("endpoint.submit", str(second.id))]
    # What an operator looked at is what is approved: never another one that took its place meanwhile.
    with pytest.raises(Conflict, match="is replaced, not submitted"):
        approve_endpoint(hub, first.id)


def test_what_the_operator_sets_is_approved_and_another_one_waits_on(hub: Hub, issuer: str) -> None:
    waiting = submitted(hub, issuer, "https://bank.example")
    set_endpoint(hub, issuer, "https://calls.bank.example")
    assert waiting_endpoints(hub) == (waiting,)
    set_endpoint(hub, issuer, "https://bank.example")
    assert waiting_endpoints(hub) == ()


def test_a_host_that_somebody_waits_for_is_nobody_elses(hub: Hub, issuer: str, merchant: str) -> None:
    waiting = submitted(hub, issuer, "https://bank.example")
    for act in (set_endpoint, submit_endpoint):
        with pytest.raises(Refused) as refused:
            act(hub, merchant, "https://bank.example:8443/shop")
        assert [finding.id for finding in refused.value.findings] == ["ENDPOINT-05"]
    approve_endpoint(hub, waiting.id)
    with pytest.raises(Refused):
        submit_endpoint(hub, merchant, "https://bank.example")


def test_a_rule_that_does_not_hold_any_more_keeps_it_from_being_approved(hub: Hub, issuer: str) -> None:
    waiting = submitted(hub, issuer, "https://bank.example:9000")
    strict = replace(hub, settings=replace(hub.settings, danger_outbound_any_port=False))
    with pytest.raises(Refused) as refused:
        approve_endpoint(strict, waiting.id)
    assert [finding.id for finding in refused.value.findings] == ["ENDPOINT-03"]
    assert waiting_endpoints(hub) == (waiting,)


def test_a_removed_customer_waits_for_nothing(hub: Hub, issuer: str, merchant: str) -> None:
    waiting = submitted(hub, issuer, "https://bank.example")
    remove_customer(hub, issuer, "tested")
    assert waiting_endpoints(hub) == ()
    with pytest.raises(Conflict, match="is refused, not submitted"):
        approve_endpoint(hub, waiting.id)
    set_endpoint(hub, merchant, "https://bank.example")


def test_nobody_has_no_endpoint(hub: Hub) -> None:
    with pytest.raises(NotFound, match="no customer"):
        set_endpoint(hub, "00000000", "https://bank.example")
    with pytest.raises(NotFound, match="no customer"):
        show_endpoint(hub, "00000000")


def test_a_successful_probe_establishes_the_outbound_flow(
    hub: Hub, issuer: str, endorse: Endorse, audited: Audit
) -> None:
    endorse(issuer, "https://bank.example")
    assert [each.established for each in hub_state(hub).customers] == [False]
    record_probe(hub, issuer, ProbeFact("bank.example:443", hub.now(), ok=True, seen="TLSv1.3"))
    assert show_customer(hub, issuer).assessment.outbound.state == "established"
    assert [each.established for each in hub_state(hub).customers] == [True]
    assert audited()[-1] == ("probe", issuer)


def test_a_failed_probe_proves_nothing(hub: Hub, issuer: str, endorse: Endorse) -> None:
    endorse(issuer, "https://bank.example")
    record_probe(hub, issuer, ProbeFact("bank.example:443", hub.now(), ok=False, seen="connection refused"))
    view = show_customer(hub, issuer).assessment.outbound
    assert (view.state, view.open) == ("broken", False)
    assert "connection refused" in view.reason


def test_what_was_seen_at_another_address_is_not_recorded(
    hub: Hub, issuer: str, endorse: Endorse, audited: Audit
) -> None:
    endorse(issuer, "https://bank.example")
    seen = ProbeFact("bank.example:443", hub.now(), ok=True, seen="TLSv1.3")
    set_endpoint(hub, issuer, "https://bank.example:8443")
    with pytest.raises(Conflict, match=r"became bank.example:8443 while bank.example:443 was probed"):
        record_probe(hub, issuer, seen)
    assert audited()[-1] == ("endpoint.set", issuer)
    set_endpoint(hub, issuer, "https://bank.example")
    assert show_customer(hub, issuer).assessment.outbound.open is False


def test_a_chain_that_was_endorsed_after_the_probe_is_not_proved_by_it(hub: Hub, issuer: str, endorse: Endorse) -> None:
    first = endorse(issuer, "https://bank.example")
    record_probe(hub, issuer, ProbeFact("bank.example:443", hub.now(), ok=True, seen="TLSv1.3"))
    endorse(issuer, "https://bank.example")
    assert show_customer(hub, issuer).assessment.outbound.open is True
    withdraw_chain(hub, first.id, "the CA was replaced")
    outbound = show_customer(hub, issuer).assessment.outbound
    assert (outbound.open, outbound.reason) == (False, "probed: probe the server")
    record_probe(hub, issuer, ProbeFact("bank.example:443", hub.now(), ok=True, seen="TLSv1.3"))
    assert show_customer(hub, issuer).assessment.outbound.open is True


def test_a_new_address_has_to_be_proved_again(hub: Hub, issuer: str, endorse: Endorse) -> None:
    endorse(issuer, "https://bank.example")
    record_probe(hub, issuer, ProbeFact("bank.example:443", hub.now(), ok=True, seen="TLSv1.3"))
    set_endpoint(hub, issuer, "https://bank.example:8443")
    assert [each.established for each in hub_state(hub).customers] == [False]
