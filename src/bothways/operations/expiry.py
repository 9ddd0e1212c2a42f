"""What ends, and when: customers' certificates and chains, the hub's CAs, its own certificates and its nodes'."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from bothways.operations.hub import AUTHORITY_TITLES, Hub
from bothways.operations.nodes import node_certificates
from bothways.operations.renewal import supersessions
from bothways.operations.rotation import OWN
from bothways.store import authorities, certificates, chains, contacts, customer_credentials, holds, notices
from bothways.store.notices import StoredNotice

THRESHOLDS = (60, 30, 14, 7, 1)
"""Days before an end at which it is told."""

SOON = timedelta(days=max(THRESHOLDS))
"""How long before an end it is told of at all: of customers a hub has more that ends later than anybody can read."""

_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Ending:
    """Something that ends; `tsp_id` is whose it is, None for the hub's own. `thresholds` are the days it is told at."""

    kind: str
    subject: str
    tsp_id: str | None
    ends_at: datetime
    text: str
    thresholds: tuple[int, ...] = THRESHOLDS

    def threshold(self, now: datetime) -> int | None:
        """Return the least threshold that was reached, or None before the first one and after the end."""
        left = self.ends_at - now
        reached = [days for days in self.thresholds if timedelta(0) < left <= timedelta(days=days)]
        return min(reached, default=None)

    def document(self, now: datetime) -> dict[str, Any]:
        """Return it as the JSON object that the status shows; `days` are whole days that are left."""
        return {
            "kind": self.kind,
            "subject": self.subject,
            "customer": self.tsp_id,
            "ends_at": self.ends_at.isoformat(),
            "days": (self.ends_at - now).days,
            "text": self.text,
        }


def endings(hub: Hub, until: datetime = _NEVER) -> tuple[Ending, ...]:
    """Return everything that is in force and will end, the next end first.

    `until` leaves out certificates and chains of customers that end later, of which a hub has many.
    """
    replaced = supersessions(hub)
    with hub.read() as connection:
        found = [
            *_certificates(connection, hub.now(), until, replaced),
            *_chains(connection, hub.now(), until),
            *_customer_credentials(connection, hub.now()),
            *_held(connection, hub.now()),
            *_authorities(connection),
            *_own(connection),
            *_nodes(connection, hub.now()),
        ]
    return tuple(sorted(found, key=lambda each: (each.ends_at, each.kind, each.subject)))


def expiring(hub: Hub) -> tuple[Ending, ...]:
    """Return what has reached its first threshold, the next end first."""
    now = hub.now()
    return tuple(each for each in endings(hub, now + SOON) if each.threshold(now) is not None)


def record_notices(hub: Hub) -> int:
    """Store a notice for each contact, of what reached a threshold that it was not told of; return how many.

    Only the least threshold that was reached is told: a hub that was down for a month does not tell three at once.
    """
    now, reached = hub.now(), expiring(hub)
    with hub.read() as connection:
        missing = [*_missing(connection, reached, now)] if reached else []
    if not missing:
        return 0
    with hub.write() as transaction:
        missing = [*_missing(transaction.connection, reached, now)]
        for each in missing:
            notices.add(transaction, each)
    return len(missing)


def _missing(connection: Connection, reached: tuple[Ending, ...], now: datetime) -> Iterator[StoredNotice]:
    told, operator = notices.told(connection), contacts.every(connection, None)
    for ending in reached:
        threshold = ending.threshold(now) or 0
        own = contacts.every(connection, ending.tsp_id) if ending.tsp_id is not None else ()
        for contact in (*own, *operator):
            if (contact.id, ending.kind, ending.subject, threshold) not in told:
                yield StoredNotice(
                    id=str(uuid.uuid4()),
                    contact_id=contact.id,
                    kind=ending.kind,
                    subject=ending.subject,
                    threshold_days=threshold,
                    ends_at=ending.ends_at,
                    text=ending.text,
                    made_at=now,
                    attempts=0,
                    attempt_at=now,
                )


def _certificates(
    connection: Connection, now: datetime, until: datetime, replaced: dict[str, datetime]
) -> Iterator[Ending]:
    for serial, tsp_id, end in certificates.ending(connection, now, until, replaced):
        due = replaced.get(serial)
        if due is not None and due < end:
            text = (
                f"The client certificate {serial} of {tsp_id} is superseded, and refused from then on: its successor "
                "is in use. Install the successor wherever the old one still is."
            )
            yield Ending("certificate", serial, tsp_id, due, text)
        else:
            text = f"The client certificate {serial} of {tsp_id} expires. Renew it: make a new key and CSR."
            yield Ending("certificate", serial, tsp_id, end, text)


def _chains(connection: Connection, now: datetime, until: datetime) -> Iterator[Ending]:
    for number, tsp_id, end in chains.ending(connection, now, until):
        text = f"The endorsed CA chain {number} of {tsp_id}'s server ends. Submit the next one."
        yield Ending("chain", str(number), tsp_id, end, text)


def _customer_credentials(connection: Connection, now: datetime) -> Iterator[Ending]:
    for tsp_id, each in customer_credentials.active(connection).items():
        if each.not_after is not None and each.not_after > now:
            text = (
                f"The client certificate that {tsp_id}'s CA signed for the hub ends. Have the next one signed in time: "
                f"bothways outbound csr {tsp_id}"
            )
            yield Ending("customer-client", str(each.id), tsp_id, each.not_after, text)


def _held(connection: Connection, now: datetime) -> Iterator[Ending]:
    held = holds.many(connection)
    earlier = authorities.credentials_by_id(connection, {each.credential_id for each in held.values()})
    for tsp_id, hold in held.items():
        end = earlier[hold.credential_id].certificate.not_valid_after_utc
        if end > now:
            text = (
                f"{tsp_id}'s server does not take the hub's new client certificate ({hold.reason}), and is shown the "
                "earlier one while that lasts. It has to trust the Client CA, and never a certificate of it (R15)."
            )
            yield Ending("held", f"{tsp_id}/{hold.credential_id}", tsp_id, end, text)


def _authorities(connection: Connection) -> Iterator[Ending]:
    for role, name in AUTHORITY_TITLES.items():
        for each in authorities.trusted(connection, role):
            text = f"The hub's {name} {each.id} ends, and all that it signed ends with it. Make the next one in time."
            yield Ending("authority", str(each.id), None, each.certificate.not_valid_after_utc, text)


def _own(connection: Connection) -> Iterator[Ending]:
    for role, name in OWN.items():
        current = authorities.current_credential(connection, role).certificate
        end, third = current.not_valid_after_utc, (current.not_valid_after_utc - current.not_valid_before_utc) / 3
        # The hub renews it when a third is left: who is told before that would be told each time, for nothing.
        thresholds = tuple(days for days in THRESHOLDS if timedelta(days=days) < third)
        text = f"The hub's {name} certificate ends, and was not renewed. Look at: bothways hub status"
        yield Ending(name, f"{current.serial_number:x}", None, end, text, thresholds)


def _nodes(connection: Connection, now: datetime) -> Iterator[Ending]:
    for name, of_node in node_certificates(connection, now).items():
        for each in of_node:
            if each is of_node[0]:
                text = (
                    f"The certificate {each.serial} of the node {name} ends, and with it the node is cut off from the "
                    f"control plane. Make the next one: bothways hub envoy-bootstrap --node {name}"
                )
            elif each.used_at is not None:
                text = (
                    f"The certificate {each.serial} that the node {name} uses ends, and the next one was made and is "
                    "not in use. Install it."
                )
            else:
                continue
            yield Ending("node", each.serial, None, each.not_after, text)
