"""Contacts: add, list, remove. Only the operator says whom the hub tells, and where."""

import base64
import secrets
from typing import Any

from bothways.errors import Refused
from bothways.operations.hub import Hub
from bothways.registry.contact import Contact, ContactKind, contact_findings
from bothways.store import contacts, customers

_SECRET_BYTES = 32


def add_contact(hub: Hub, tsp_id: str | None, kind: ContactKind, address: str) -> Contact:
    """Add a contact of a customer, or of the operator if `tsp_id` is None; a webhook gets a secret of its own.

    Raises `Refused` if the address is none, `NotFound` without that customer, `Conflict` if it is there.
    """
    if findings := contact_findings(kind, address, danger_loopback=hub.settings.danger_outbound_loopback):
        raise Refused(findings)
    # As the Standard Webhooks specification writes secrets.
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()
    with hub.write() as transaction:
        if tsp_id is not None:
            customers.find(transaction.connection, tsp_id)
        added = contacts.add(transaction, tsp_id, kind, address, secret if kind is ContactKind.WEBHOOK else "")
        transaction.audit("contact.add", str(added.id), customer=tsp_id, kind=kind.value, address=address)
    return added


def contact_added(hub: Hub, tsp_id: str | None, kind: ContactKind, address: str) -> dict[str, Any]:
    """Add a contact, and return it as the JSON object that API and command line show, this once with its secret.

    `sending` says whether the hub is set up to send anything to it. Raises as `add_contact` does.
    """
    added = add_contact(hub, tsp_id, kind, address)
    webhook = kind is ContactKind.WEBHOOK
    secret = {"secret": added.secret} if webhook else {}
    return added.document() | secret | {"sending": webhook or bool(hub.settings.smtp_host)}


def list_contacts(hub: Hub, tsp_id: str | None) -> tuple[Contact, ...]:
    """Return the contacts of a customer, or of the operator if `tsp_id` is None. Raises `NotFound`."""
    with hub.read() as connection:
        if tsp_id is not None:
            customers.find(connection, tsp_id)
        return contacts.every(connection, tsp_id)


def remove_contact(hub: Hub, tsp_id: str | None, number: int, reason: str) -> Contact:
    """Remove a contact, and say why; what was not delivered to it is not sent any more. Raises `NotFound`."""
    with hub.write() as transaction:
        removed = contacts.remove(transaction, tsp_id, number)
        detail = {"kind": removed.kind.value, "address": removed.address, "reason": reason}
        transaction.audit("contact.remove", str(number), customer=tsp_id, **detail)
    return removed
