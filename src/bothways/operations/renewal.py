"""Renewal of customers' certificates: which one a request renews, and when the old one has had its time."""

from datetime import datetime, timedelta

from bothways.errors import Conflict
from bothways.operations.hub import Hub
from bothways.pki.revocation import RevocationReason
from bothways.store import certificates, renewals, requests
from bothways.store.database import Transaction
from bothways.store.requests import RequestState, StoredRequest


def renews(hub: Hub, number: int, serial: str) -> None:
    """Record that a request renews a certificate of the same customer.

    The old one is superseded when the new one was in use for the overlap of the contract, and not before: a customer
    that never installs the new one is not cut off. A request that renews nothing supersedes nothing: it may be for
    another instance of the customer. Raises `NotFound`, or `Conflict` if the two do not go together.
    """
    with hub.write() as transaction:
        record_renewal(transaction, requests.find(transaction.connection, number), serial)


def record_renewal(transaction: Transaction, stored: StoredRequest, serial: str) -> None:
    """Record what `renews` does, in a transaction that does more; nothing, if it is recorded already."""
    if renewals.renewed_by(transaction.connection, stored.id) == serial:
        return
    old = certificates.find(transaction.connection, serial)
    if old.tsp_id != stored.tsp_id:
        raise Conflict(
            f"certificate {serial} does not belong to {stored.tsp_id}, who made request {stored.id}.",
            f"Look at: bothways certificate list --customer {stored.tsp_id}",
        )
    if old.request_id == stored.id:
        raise Conflict(f"certificate {serial} came of request {stored.id}: it does not renew itself.")
    if not old.usable(transaction.now):
        state = old.state(transaction.now).value
        raise Conflict(f"certificate {serial} is {state}: there is nothing to renew. Leave it out.")
    if stored.state in {RequestState.REFUSED, RequestState.WITHDRAWN}:
        raise Conflict(f"request {stored.id} is {stored.state.value}: nothing comes of it. Submit another one.")
    renewals.renew(transaction, stored.id, old.serial)
    transaction.audit("request.renews", str(stored.id), customer=stored.tsp_id, serial=old.serial)


def supersessions(hub: Hub) -> dict[str, datetime]:
    """Return when each certificate that is renewed by one in use will be superseded, by serial number in hex."""
    overlap = timedelta(days=hub.terms.certificate.overlap_days)
    with hub.read() as connection:
        found = renewals.renewed(connection, hub.now())
    return {serial: first_seen + overlap for serial, first_seen in found.items()}


def supersede(hub: Hub, serial: str) -> bool:
    """Revoke a certificate whose successor was in use for the overlap; return False if it is not due, or no more."""
    overlap = timedelta(days=hub.terms.certificate.overlap_days)
    with hub.write() as transaction:
        first_seen = renewals.renewed(transaction.connection, transaction.now, serial).get(serial)
        if first_seen is None or first_seen + overlap > transaction.now:
            return False
        whose = certificates.find(transaction.connection, serial).tsp_id
        certificates.revoke(transaction, serial, RevocationReason.SUPERSEDED)
        reason = f"the one that renews it has been in use for {overlap.days} days"
        transaction.audit("certificate.supersede", serial, customer=whose, reason=reason)
    return True


def set_aside(hub: Hub) -> None:
    """Have the renewals looked through no more whose old certificate was revoked, or has expired."""
    with hub.read() as connection:
        some = renewals.some_over(connection, hub.now())
    if some:
        with hub.write() as transaction:
            renewals.set_aside(transaction)
