"""Client certificates of the hub that a customer's own CA signs, for this customer alone (R13), in the database."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from cryptography import x509
from sqlalchemy import Connection, Row, select, update

from bothways.pki.chain import certificate_pem
from bothways.store.database import Transaction
from bothways.store.schema_credentials import customer_credential


class CredentialState(StrEnum):
    """What was `requested` waits for its certificate; what is `active` is shown to the customer; the rest is history.

    `superseded` was followed by the next one, `removed` was taken back, before or after it had a certificate.
    """

    REQUESTED = "requested"
    ACTIVE = "active"
    SUPERSEDED = "superseded"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class CustomerCredential:
    """One key for one customer. `request` is PKCS #10 in DER; `chain` is PEM, end entity first, empty until installed.

    `ended_at`, `ended_by` and `reason` say when, by whom and why it was superseded or removed.
    """

    id: int
    tsp_id: str
    key_name: str
    request: bytes
    state: CredentialState
    chain: str
    not_before: datetime | None
    not_after: datetime | None
    requested_at: datetime
    requested_by: str
    installed_at: datetime | None
    installed_by: str | None
    ended_at: datetime | None
    ended_by: str | None
    reason: str | None


def add(transaction: Transaction, tsp_id: str, key_name: str, request: bytes) -> int:
    """Store a key and its request, which wait for the customer's CA; return their number."""
    return transaction.insert(
        customer_credential,
        tsp_id=tsp_id,
        key_name=key_name,
        request=request,
        state=CredentialState.REQUESTED.value,
        requested_at=transaction.now,
        requested_by=transaction.actor,
    )


def install(transaction: Transaction, number: int, chain: Collection[x509.Certificate]) -> None:
    """Store the certificate that came back, with its issuers, and have it shown from now on."""
    first = next(iter(chain))
    transaction.connection.execute(
        update(customer_credential)
        .where(customer_credential.c.id == number)
        .values(
            state=CredentialState.ACTIVE.value,
            chain="".join(certificate_pem(each) for each in chain),
            not_before=first.not_valid_before_utc,
            not_after=first.not_valid_after_utc,
            installed_at=transaction.now,
            installed_by=transaction.actor,
        )
    )


def end(transaction: Transaction, number: int, state: CredentialState, reason: str) -> None:
    """Record that a key is superseded or removed, and why."""
    transaction.connection.execute(
        update(customer_credential)
        .where(customer_credential.c.id == number)
        .values(state=state.value, ended_at=transaction.now, ended_by=transaction.actor, reason=reason)
    )


def every(connection: Connection, tsp_id: str) -> tuple[CustomerCredential, ...]:
    """Return all that there ever were for a customer, oldest first."""
    query = select(customer_credential).where(customer_credential.c.tsp_id == tsp_id)
    return tuple(_stored(row) for row in connection.execute(query.order_by(customer_credential.c.id)))


def in_state(connection: Connection, tsp_id: str, state: CredentialState) -> CustomerCredential | None:
    """Return the customer's that is in this state, `REQUESTED` or `ACTIVE`, of which there is one at most."""
    found = [each for each in every(connection, tsp_id) if each.state is state]
    return found[0] if found else None


def active(connection: Connection, tsp_ids: Collection[str] | None = None) -> dict[str, CustomerCredential]:
    """Return what is shown to these customers, or to all, by tspId; who has none of its own is not in it."""
    query = select(customer_credential).where(customer_credential.c.state == CredentialState.ACTIVE.value)
    if tsp_ids is not None:
        query = query.where(customer_credential.c.tsp_id.in_(tsp_ids))
    return {row.tsp_id: _stored(row) for row in connection.execute(query)}


def _stored(row: Row[Any]) -> CustomerCredential:
    return CustomerCredential(
        row.id,
        row.tsp_id,
        row.key_name,
        row.request,
        CredentialState(row.state),
        row.chain or "",
        row.not_before,
        row.not_after,
        row.requested_at,
        row.requested_by,
        row.installed_at,
        row.installed_by,
        row.ended_at,
        row.ended_by,
        row.reason,
    )
