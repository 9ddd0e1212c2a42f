"""The gate of R2: what is granted but not established is not in the state of the data plane."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from bothways.connectivity.facts import ProbeFact
from bothways.operations.certificates import certificate_seen, revoke_certificate
from bothways.operations.data_plane import hub_state
from bothways.operations.endpoints import record_probe
from bothways.operations.hub import Hub, contract
from bothways.operations.services import add_service, grant_service, withdraw_service
from bothways.pki.revocation import RevocationReason
from bothways.registry.flow import Flow
from bothways.registry.service import Service
from bothways.store.certificates import StoredCertificate
from bothways.store.chains import StoredChain
from bothways.xds.state import Address, Identity

Certify = Callable[[str], StoredCertificate]
Endorse = Callable[[str, str], StoredChain]


@pytest.fixture
def tokens(hub: Hub) -> str:
    add_service(hub, Service("tokens", "/tokens", "http://10.1.2.3:9000"))
    return "tokens"


def reached(hub: Hub, name: str) -> Sequence[Identity]:
    return next(each.identities for each in hub_state(hub).services if each.name == name)


def test_a_service_is_out_of_reach_until_the_inbound_flow_is_established(
    hub: Hub, issuer: str, tokens: str, certify: Certify
) -> None:
    grant_service(hub, tokens, issuer)
    certificate = certify(issuer)
    identity = Identity(certificate.uri_id, issuer)
    assert hub_state(hub).identities == (identity,)
    assert reached(hub, tokens) == ()
    certificate_seen(hub, certificate.fingerprint or "")
    assert reached(hub, tokens) == (identity,)


def test_a_service_that_is_not_granted_stays_out_of_reach(hub: Hub, issuer: str, tokens: str, connect: Certify) -> None:
    certificate = connect(issuer)
    assert reached(hub, tokens) == ()
    grant_service(hub, tokens, issuer)
    assert reached(hub, tokens) == (Identity(certificate.uri_id, issuer),)
    withdraw_service(hub, tokens, issuer, "tested")
    assert reached(hub, tokens) == ()


def test_a_service_that_needs_both_flows_waits_for_both(
    hub: Hub, issuer: str, connect: Certify, endorse: Endorse
) -> None:
    add_service(hub, Service("push", "/push", "http://10.1.2.3:9000", frozenset(Flow)))
    grant_service(hub, "push", issuer)
    connect(issuer)
    endorse(issuer, "https://bank.example")
    assert reached(hub, "push") == ()
    record_probe(hub, issuer, ProbeFact("bank.example:443", hub.now(), ok=True, seen="TLSv1.3"))
    assert [each.tsp_id for each in reached(hub, "push")] == [issuer]


def test_one_customers_flow_opens_nothing_for_another(
    hub: Hub, issuer: str, merchant: str, tokens: str, certify: Certify, connect: Certify
) -> None:
    for tsp_id in (issuer, merchant):
        grant_service(hub, tokens, tsp_id)
    certify(merchant)
    connect(issuer)
    assert [each.tsp_id for each in reached(hub, tokens)] == [issuer]


def test_revocation_closes_the_service_with_the_certificate(
    hub: Hub, issuer: str, tokens: str, connect: Certify
) -> None:
    grant_service(hub, tokens, issuer)
    kept, lost = connect(issuer), connect(issuer)
    revoke_certificate(hub, lost.serial, RevocationReason.SUPERSEDED)
    assert reached(hub, tokens) == hub_state(hub).identities == (Identity(kept.uri_id, issuer),)


def test_an_expired_certificate_is_no_identity(hub: Hub, issuer: str, connect: Certify) -> None:
    end = connect(issuer).not_after
    assert len(hub_state(replace(hub, now=lambda: end - timedelta(seconds=1))).identities) == 1
    assert hub_state(replace(hub, now=lambda: end)).identities == ()


def test_an_endpoint_without_endorsed_chain_is_no_server(hub: Hub, issuer: str, endorse: Endorse) -> None:
    chain = endorse(issuer, "https://bank.example:8443/hub")
    (server,) = hub_state(hub).customers
    assert (server.tsp_id, server.host, server.port, server.path) == (issuer, "bank.example", 8443, "/hub")
    assert server.anchors.pem == chain.pem


def test_a_new_hub_listens_where_its_settings_say_and_trusts_its_issuing_ca(hub: Hub) -> None:
    state, settings = hub_state(hub), hub.settings
    assert state.inbound == Address("127.0.0.1", settings.inbound_port)
    assert state.egress == Address("127.0.0.1", settings.egress_port)
    assert (state.host, state.port) == ("api.ppr.hub.localhost", settings.inbound_port)
    assert state.trust.pem == contract(hub).trust.issuing_ca
    assert (state.identities, state.services, state.customers) == ((), (), ())
    assert state.danger_outbound_loopback is settings.danger_outbound_loopback is True
    assert "PRIVATE" not in repr(state)
