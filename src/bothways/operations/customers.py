"""Customers: add, list, show, suspend, resume, remove."""

import contextlib
from dataclasses import dataclass
from typing import Any

from bothways.connectivity.assess import EXPIRING, Assessment, State, assess
from bothways.errors import Refused, Unusable
from bothways.operations.hub import Hub
from bothways.pki.revocation import RevocationReason
from bothways.registry.customer import Customer, CustomerKind, customer_findings
from bothways.store import (
    certificates,
    chains,
    customer_credentials,
    customers,
    endpoints,
    facts,
    holds,
    observations,
    register,
    services,
    submitted_endpoints,
)
from bothways.store.chains import ChainState
from bothways.store.customer_credentials import CredentialState
from bothways.store.register import Attention, Filter
from bothways.store.submitted_endpoints import EndpointState

LOOKED_AT = 1000
"""Customers that are looked at for a page with a state of a flow as filter."""
_TOGETHER = 250
"""Customers whose facts are read at once: few questions to the database, and not many too much for a small page."""


@dataclass(frozen=True, slots=True)
class CustomerView:
    """A customer with the state of its flows."""

    customer: Customer
    assessment: Assessment

    def document(self) -> dict[str, Any]:
        """Return the view as the JSON object that API and command line show."""
        return {
            "customer": self.customer.tsp_id,
            "kind": self.customer.kind.value,
            "organization": self.customer.organization,
            "suspended": self.customer.suspended,
            "inbound": self.assessment.inbound.document(),
            "outbound": self.assessment.outbound.document(),
        }


def add_customer(hub: Hub, tsp_id: str, kind: CustomerKind, organization: str) -> Customer:
    """Register a customer. Raises `Refused` if a value is wrong, `Conflict` if it exists."""
    if findings := customer_findings(tsp_id, organization):
        raise Refused(findings)
    with hub.write() as transaction:
        customer = Customer(tsp_id, kind, organization, transaction.now)
        customers.add(transaction, customer)
        transaction.audit("customer.add", tsp_id, kind=kind.value, organization=organization)
    return customer


def show_customer(hub: Hub, tsp_id: str) -> CustomerView:
    """Return a customer with the state of its flows. Raises `NotFound`."""
    with hub.read() as connection:
        customer = customers.find(connection, tsp_id)
        return CustomerView(customer, assess(facts.facts_of(connection, tsp_id), hub.now()))


def list_customers(hub: Hub) -> tuple[CustomerView, ...]:
    """Return all customers with the state of their flows, by tspId."""
    with hub.read() as connection:
        known = facts.all_facts(connection)
        now = hub.now()
        return tuple(CustomerView(each, assess(known[each.tsp_id], now)) for each in customers.every(connection))


@dataclass(frozen=True, slots=True)
class CustomerFilter:
    """Which customers are wanted: what is None does not matter.

    `search` is the beginning of a tspId or a part of an organization's name.
    """

    kind: CustomerKind | None = None
    suspended: bool | None = None
    search: str | None = None
    attention: Attention | None = None
    inbound: State | None = None
    outbound: State | None = None

    def takes(self, found: Assessment) -> bool:
        """Tell whether the flows are in the wanted states."""
        return self.inbound in {None, found.inbound.state} and self.outbound in {None, found.outbound.state}


@dataclass(frozen=True, slots=True)
class CustomerPage:
    """Some customers, and after which tspId to go on; None at the end."""

    items: tuple[CustomerView, ...]
    following: str | None


def page_customers(hub: Hub, after: str, limit: int, wanted: CustomerFilter = CustomerFilter()) -> CustomerPage:
    """Return at most `limit` customers whose tspId comes after this one, with the state of their flows.

    States of flows are derived: at most a thousand customers are looked at, so that a page may hold few of them.
    """
    now, items = hub.now(), list[CustomerView]()
    looked_at = limit + 1 if wanted.inbound is wanted.outbound is None else LOOKED_AT
    asked = Filter(now, now + EXPIRING, wanted.search or "", wanted.kind, wanted.attention, wanted.suspended)
    with hub.read() as connection:
        found = register.page(connection, asked, after, looked_at)
        for start in range(0, len(found), _TOGETHER):
            some = found[start : start + _TOGETHER]
            named, known = customers.many(connection, some), facts.facts_of_many(connection, some)
            for place, tsp_id in enumerate(some, start + 1):
                assessment = assess(known[tsp_id], now)
                if wanted.takes(assessment):
                    items.append(CustomerView(named[tsp_id], assessment))
                if len(items) == limit:
                    return CustomerPage(tuple(items), tsp_id if place < len(found) else None)
    return CustomerPage(tuple(items), found[-1] if len(found) == looked_at else None)


def suspend_customer(hub: Hub, tsp_id: str, *, suspended: bool) -> None:
    """Suspend a customer, or resume it: while suspended, nothing gets through in either direction."""
    with hub.write() as transaction:
        customers.find(transaction.connection, tsp_id)
        customers.suspend(transaction, tsp_id, suspended=suspended)
        transaction.audit("customer.suspend" if suspended else "customer.resume", tsp_id)


def remove_customer(hub: Hub, tsp_id: str) -> None:
    """Remove a customer for good: its certificates are revoked, its chains, services and endpoint withdrawn."""
    with hub.write() as transaction:
        customers.find(transaction.connection, tsp_id)
        for certificate in certificates.every(transaction.connection, tsp_id):
            if certificate.revoked_at is None:
                certificates.revoke(transaction, certificate.serial, RevocationReason.CESSATION_OF_OPERATION)
        for chain in chains.every(transaction.connection, tsp_id, ChainState.ENDORSED):
            chains.decide(transaction, chain.id, ChainState.WITHDRAWN, "the customer was removed")
        for credential in customer_credentials.every(transaction.connection, tsp_id):
            if credential.state in {CredentialState.REQUESTED, CredentialState.ACTIVE}:
                reason = "the customer was removed"
                customer_credentials.end(transaction, credential.id, CredentialState.REMOVED, reason)
        holds.release(transaction, tsp_id)
        services.withdraw(transaction, None, tsp_id)
        endpoints.remove(transaction, tsp_id)
        for named in submitted_endpoints.waiting(transaction.connection, tsp_id):
            submitted_endpoints.decide(transaction, named.id, EndpointState.REFUSED, "the customer was removed")
        customers.remove(transaction, tsp_id)
        transaction.audit("customer.remove", tsp_id)
    # What stays behind, if that file cannot be used now, is forgotten by its age.
    with contextlib.suppress(Unusable), hub.observations.write(hub.now()) as seen:
        observations.forget(seen, tsp_id)
