"""Customers: add, list, show, suspend, resume, remove."""

import contextlib
from dataclasses import dataclass
from typing import Any

from bothways.connectivity.assess import EXPIRING, Assessment, State, assess
from bothways.errors import NotFound, Refused, Unusable
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
from bothways.store.database import Transaction
from bothways.store.register import Attention, Filter
from bothways.store.submitted_endpoints import EndpointState

LOOKED_AT = 1000
"""Customers that are looked at for a page with a state of a flow as filter."""
_TOGETHER = 250
"""Customers whose facts are read at once: few questions to the database, and not many too much for a small page."""

_REMOVED = "the customer was removed"


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


def suspend_customer(hub: Hub, tsp_id: str, reason: str) -> None:
    """Suspend a customer, and say why: nothing gets through in either direction until it is resumed."""
    with hub.write() as transaction:
        customers.find(transaction.connection, tsp_id)
        customers.suspend(transaction, tsp_id, suspended=True)
        transaction.audit("customer.suspend", tsp_id, reason=reason)


def resume_customer(hub: Hub, tsp_id: str, reason: str = "") -> None:
    """Resume a customer that was suspended."""
    with hub.write() as transaction:
        customers.find(transaction.connection, tsp_id)
        customers.suspend(transaction, tsp_id, suspended=False)
        transaction.audit("customer.resume", tsp_id, reason=reason)


def remove_customer(hub: Hub, tsp_id: str, reason: str) -> None:
    """Remove a customer for good, and say why.

    Its certificates are revoked, its chains, services and endpoint withdrawn, each with its own line in the audit.
    """
    with hub.write() as transaction:
        removed = customers.find(transaction.connection, tsp_id)
        _revoke_all(transaction, tsp_id)
        _withdraw_all(transaction, tsp_id)
        customers.remove(transaction, tsp_id)
        detail = {"kind": removed.kind.value, "organization": removed.organization, "reason": reason}
        transaction.audit("customer.remove", tsp_id, **detail)
    # What stays behind, if that file cannot be used now, is forgotten by its age.
    with contextlib.suppress(Unusable), hub.observations.write(hub.now()) as seen:
        observations.forget(seen, tsp_id)


def _revoke_all(transaction: Transaction, tsp_id: str) -> None:
    """End what the customer, and the hub towards it, is known by."""
    code = RevocationReason.CESSATION_OF_OPERATION
    for certificate in certificates.every(transaction.connection, tsp_id):
        if certificate.revoked_at is None:
            certificates.revoke(transaction, certificate.serial, code)
            transaction.audit("certificate.revoke", certificate.serial, customer=tsp_id, reason=code.value)
    for credential in customer_credentials.every(transaction.connection, tsp_id):
        if credential.state in {CredentialState.REQUESTED, CredentialState.ACTIVE}:
            customer_credentials.end(transaction, credential.id, CredentialState.REMOVED, _REMOVED)
            detail = {"number": credential.id, "state": credential.state.value, "reason": _REMOVED}
            transaction.audit("outbound.remove", tsp_id, **detail)
    if holds.release(transaction, tsp_id):
        transaction.audit("rotate.release", tsp_id, reason=_REMOVED)


def _withdraw_all(transaction: Transaction, tsp_id: str) -> None:
    """End what was granted to the customer, and where it is called."""
    connection = transaction.connection
    for chain in chains.every(connection, tsp_id, ChainState.ENDORSED):
        chains.decide(transaction, chain.id, ChainState.WITHDRAWN, _REMOVED)
        detail = {"fingerprint": chain.fingerprint, "reason": _REMOVED}
        transaction.audit("chain.withdraw", str(chain.id), customer=tsp_id, **detail)
    for name in sorted(services.grants_of(connection, (tsp_id,)).get(tsp_id, ())):
        services.withdraw(transaction, name, tsp_id)
        transaction.audit("service.withdraw", name, customer=tsp_id, reason=_REMOVED)
    for named in submitted_endpoints.waiting(connection, tsp_id):
        submitted_endpoints.decide(transaction, named.id, EndpointState.REFUSED, _REMOVED)
        detail = {"url": named.endpoint.url, "reason": _REMOVED}
        transaction.audit("endpoint.refuse", str(named.id), customer=tsp_id, **detail)
    with contextlib.suppress(NotFound):
        before = endpoints.find(connection, tsp_id)
        endpoints.remove(transaction, tsp_id)
        transaction.audit("endpoint.remove", tsp_id, before=before.url, reason=_REMOVED)
