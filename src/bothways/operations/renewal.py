"""Renewal of customers' certificates: which one a request renews, and when the old one has had its time."""

from datetime import datetime, timedelta

from bothways.errors import Conflict
from bothways.operations.hub import Hub
from bothways.pki.revocation import RevocationReason
from bothways.store import certificates, requests
from bothways.store.requests import RequestState


def renews(hub: Hub, number: int, serial: str) -> None:
    """Record that a request renews a certificate of the same customer.

    The old one is superseded when the new one was in use for the overlap of the contract, and not before: a customer
    that never installs the new one is not cut off. A request that renews nothing supersedes nothing: it may be for
    another instance of the customer. Raises `NotFound`, or `Conflict` if the two do not go together.
    """
    with hub.write() as transaction:
        stored = requests.find(transaction.connection, number)
        old = certificates.find(transaction.connection, serial)
        if old.tsp_id != stored.tsp_id:
            raise Conflict(
                f"certificate {serial} does not belong to {stored.tsp_id}, who made request {number}. "
                f"Look at: bothways certificate list --customer {stored.tsp_id}"
            )
        if old.request_id == number:
            raise Conflict(f"certificate {serial} came of request {number}: it does not renew itself.")
        if not old.usable(transaction.now):
            state = old.state(transaction.now).value
            raise Conflict(f"certificate {serial} is {state}: there is nothing to renew. Leave it out.")
        if stored.state in {RequestState.REFUSED, RequestState.WITHDRAWN}:
            raise Conflict(f"request {number} is {stored.state.value}: nothing comes of it. Submit another one.")
        certificates.renew(transaction, number, old.serial)
        transaction.audit("request.renews", str(number), customer=stored.tsp_id, serial=old.serial)


def supersessions(hub: Hub) -> dict[str, datetime]:
    """Return when each certificate that is renewed by one in use will be superseded, by serial number in hex."""
    overlap = timedelta(days=hub.terms.certificate.overlap_days)
    with hub.read() as connection:
        return {old.serial: first_seen + overlap for old, first_seen in certificates.renewed(connection, hub.now())}


def supersede(hub: Hub, serial: str) -> bool:
    """Revoke a certificate whose successor was in use for the overlap; return False if it is not due, or no more."""
    overlap = timedelta(days=hub.terms.certificate.overlap_days)
    with hub.write() as transaction:
        for old, first_seen in certificates.renewed(transaction.connection, transaction.now):
            if old.serial == serial and first_seen + overlap <= transaction.now:
                certificates.revoke(transaction, serial, RevocationReason.SUPERSEDED)
                transaction.audit("certificate.supersede", serial, customer=old.tsp_id)
                return True
    return False
