"""Endpoints: one host, one customer; and only a probe of the present address proves the outbound flow."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.operations.conftest import Audit

from bothways.connectivity.facts import ProbeFact
from bothways.errors import Conflict, NotFound, Refused
from bothways.operations.chains import withdraw_chain
from bothways.operations.customers import show_customer
from bothways.operations.data_plane import hub_state
from bothways.operations.endpoints import record_probe, set_endpoint, show_endpoint
from bothways.operations.hub import Hub
from bothways.registry.endpoint import Endpoint
from bothways.store.chains import StoredChain

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
