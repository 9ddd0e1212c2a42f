"""`bothways customer contact` and `bothways hub contact`: who is told what is about to end."""

from typing import Annotated

from cyclopts import Parameter

from bothways.cli.arguments import ContactNumber, TspId
from bothways.cli.asking import DEFAULT, Document, Where, asked
from bothways.cli.exit import OK
from bothways.cli.output import Json, Why, result, table, tell
from bothways.errors import Unusable
from bothways.operations import contacts
from bothways.operations.hub import Hub
from bothways.registry.contact import ContactKind

Email = Annotated[str | None, Parameter(help="The e-mail address to write to.")]
Webhook = Annotated[str | None, Parameter(help="The https URL to post signed JSON to.")]


def add(
    tsp_id: TspId, *, email: Email = None, webhook: Webhook = None, where: Where = DEFAULT, json: Json = False
) -> int:
    """Add a contact of a customer: told 60, 30, 14, 7 and 1 days before its certificates and chains end."""
    return _add(tsp_id, email, webhook, where, json)


def list_(tsp_id: TspId, *, where: Where = DEFAULT, json: Json = False) -> int:
    """List the contacts of a customer."""
    return _list(tsp_id, where, json)


def remove(tsp_id: TspId, contact: ContactNumber, *, reason: Why, where: Where = DEFAULT, json: Json = False) -> int:
    """Remove a contact of a customer."""
    return _remove(tsp_id, contact, reason, where, json)


def add_own(*, email: Email = None, webhook: Webhook = None, where: Where = DEFAULT, json: Json = False) -> int:
    """Add a contact of the operator: told what ends for all customers, and for the hub itself."""
    return _add(None, email, webhook, where, json)


def list_own(*, where: Where = DEFAULT, json: Json = False) -> int:
    """List the contacts of the operator."""
    return _list(None, where, json)


def remove_own(contact: ContactNumber, *, reason: Why, where: Where = DEFAULT, json: Json = False) -> int:
    """Remove a contact of the operator."""
    return _remove(None, contact, reason, where, json)


def _add(tsp_id: str | None, email: str | None, webhook: str | None, where: Where, json: Json) -> int:
    if (email is None) == (webhook is None):
        raise Unusable("a contact is an e-mail address or a webhook: give one of --email and --webhook.")
    kind, address = (ContactKind.EMAIL, email) if email is not None else (ContactKind.WEBHOOK, webhook)

    def local(hub: Hub) -> Document:
        return contacts.contact_added(hub, tsp_id, kind, address or "")

    with asked(where) as at:
        document = at.change(local, "POST", _place(tsp_id), {"kind": kind.value, "address": address})
        sending = document.pop("sending")
        result(document, f"{document['address']} is contact {document['id']}.", as_json=json)
        if kind is ContactKind.WEBHOOK:
            secret = document["secret"]
            tell(f"Its secret, with which it verifies what it gets, and which is shown this once: {secret}")
        elif not sending:
            tell("No mail server is set: nothing is sent until hub.toml has smtp.host and smtp.sender.")
        return OK


def _list(tsp_id: str | None, where: Where, json: Json) -> int:
    with asked(where) as at:
        found = at.every(lambda hub: [each.document() for each in contacts.list_contacts(hub, tsp_id)], _place(tsp_id))
        rows = [(each["id"], each["kind"], each["address"]) for each in found]
        result(found, table(rows, ("CONTACT", "KIND", "ADDRESS")), as_json=json)
        return OK


def _remove(tsp_id: str | None, contact: int, reason: str, where: Where, json: Json) -> int:
    def local(hub: Hub) -> Document:
        return contacts.remove_contact(hub, tsp_id, contact, reason).document() | {"removed": True}

    with asked(where) as at:
        document = at.change(local, "DELETE", (*_place(tsp_id), contact), reason=reason)
        result(document, f"{document['address']} is told nothing more.", as_json=json)
        return OK


def _place(tsp_id: str | None) -> tuple[str, ...]:
    return ("hub", "contacts") if tsp_id is None else ("customers", tsp_id, "contacts")
