from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from bothways.connectivity.facts import AnchorFact, CertificateFact, Facts, ProbeFact
from bothways.pki.chain import Chain, certificate_der
from bothways.pki.request import CertificationRequest
from bothways.pki.revocation import RevocationReason
from bothways.registry.customer import Customer
from bothways.registry.endpoint import Endpoint
from bothways.store import certificates, chains, customers, endpoints, facts, requests, submitted_endpoints
from bothways.store.chains import ChainState
from bothways.store.database import Database
from bothways.store.requests import RequestState
from bothways.store.submitted_endpoints import EndpointState


def test_about_a_new_customer_nothing_is_known(database: Database, customer: Customer) -> None:
    with database.read() as connection:
        assert facts.facts_of(connection, customer.tsp_id) == Facts()
        assert facts.all_facts(connection) == {customer.tsp_id: Facts()}


def test_about_a_stranger_and_a_removed_customer_nothing_is_told(database: Database, customer: Customer) -> None:
    with database.write(customer.created_at, "tester") as transaction:
        customers.remove(transaction, customer.tsp_id)
    with database.read() as connection:
        assert facts.facts_of(connection, "99") == Facts()
        assert facts.all_facts(connection) == {}


def test_requests_are_counted_by_what_was_decided(
    database: Database, customer: Customer, now: datetime, make_request: Callable[..., CertificationRequest]
) -> None:
    with database.write(now, "tester") as transaction:
        numbers = [requests.add(transaction, customer.tsp_id, make_request()) for _ in range(4)]
        requests.decide(transaction, numbers[0], RequestState.REFUSED)
        requests.decide(transaction, numbers[1], RequestState.APPROVED)
    with database.read() as connection:
        assert facts.facts_of(connection, customer.tsp_id) == Facts(requests_open=2, requests_refused=1)


def test_a_certificate_counts_from_its_signature_on(
    database: Database, customer: Customer, now: datetime, reserve: Callable[..., Any]
) -> None:
    record, signed = reserve(customer.tsp_id, 0x1A)
    with database.read() as connection:
        assert facts.facts_of(connection, customer.tsp_id).certificates == ()
    seen, revoked = now + timedelta(hours=1), now + timedelta(hours=2)
    with database.write(now, "tester") as transaction:
        certificates.complete_all(transaction, {record.serial: certificate_der(signed)})
    with database.write(seen, "tester") as transaction:
        certificates.see(transaction, record.serial)
    with database.write(revoked, "tester") as transaction:
        certificates.revoke(transaction, record.serial, RevocationReason.SUPERSEDED)
    with database.read() as connection:
        assert facts.facts_of(connection, customer.tsp_id).certificates == (
            CertificateFact(0x1A, record.not_before, record.not_after, revoked, seen),
        )


def test_only_endorsed_chains_give_anchors(
    database: Database, customer: Customer, now: datetime, make_ca: Callable[..., Any]
) -> None:
    record = Chain((make_ca("root", days=30)[1],))
    with database.write(now, "tester") as transaction:
        numbers = [chains.add(transaction, customer.tsp_id, record) for _ in ChainState]
        for number, state in zip(numbers, ChainState, strict=True):
            chains.decide(transaction, number, state)
    with database.read() as connection:
        assert facts.facts_of(connection, customer.tsp_id) == Facts(
            chains_open=1, anchors=(AnchorFact(now, record.certificates[0].not_valid_after_utc),)
        )


def test_the_last_probe_counts_and_the_last_success_proves_its_address(
    database: Database, customer: Customer, now: datetime
) -> None:
    probes = [
        ProbeFact("old.example:443", now, ok=True, seen="TLSv1.3"),
        ProbeFact("new.example:443", now, ok=True, seen="TLSv1.3"),
        ProbeFact("newest.example:443", now + timedelta(minutes=1), ok=False, seen="connection_timeout"),
    ]
    with database.write(now, "tester") as transaction:
        endpoints.put(transaction, customer.tsp_id, Endpoint("newest.example", 443, "/hub"))
        for each in probes:
            endpoints.add_probe(transaction, customer.tsp_id, each)
    with database.read() as connection:
        assert facts.facts_of(connection, customer.tsp_id) == Facts(
            endpoint="newest.example:443", endpoint_since=now, probe=probes[2], proof=probes[1]
        )


def test_only_servers_under_review_are_open(database: Database, customer: Customer, now: datetime) -> None:
    with database.write(now, "tester") as transaction:
        for state in (EndpointState.REFUSED, EndpointState.SUBMITTED):
            stored = submitted_endpoints.add(transaction, customer.tsp_id, Endpoint(f"{state}.example", 443, ""))
            if state is not EndpointState.SUBMITTED:
                submitted_endpoints.decide(transaction, stored.id, state)
    with database.read() as connection:
        assert facts.facts_of(connection, customer.tsp_id) == Facts(endpoints_open=1)


def test_facts_about_one_customer_are_the_same_alone_and_among_all_and_never_another_ones(
    database: Database,
    customer: Customer,
    other: Customer,
    now: datetime,
    make_request: Callable[..., CertificationRequest],
) -> None:
    with database.write(now, "tester") as transaction:
        requests.add(transaction, customer.tsp_id, make_request())
        endpoints.put(transaction, other.tsp_id, Endpoint("api.shop.example", 443, ""))
        endpoints.add_probe(transaction, other.tsp_id, ProbeFact("api.shop.example:443", now, ok=True, seen=""))
        customers.suspend(transaction, other.tsp_id, suspended=True)
    with database.read() as connection:
        every = facts.all_facts(connection)
        assert every == {each.tsp_id: facts.facts_of(connection, each.tsp_id) for each in (customer, other)}
    assert every[customer.tsp_id] == Facts(requests_open=1)
    assert every[other.tsp_id] == Facts(
        suspended=True,
        endpoint="api.shop.example:443",
        endpoint_since=now,
        probe=ProbeFact("api.shop.example:443", now, ok=True, seen=""),
        proof=ProbeFact("api.shop.example:443", now, ok=True, seen=""),
    )
