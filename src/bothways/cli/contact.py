"""`bothways customer contact` and `bothways hub contact`: who is told what is about to end."""

from typing import Annotated

from cyclopts import Parameter

from bothways.cli.exit import OK
from bothways.cli.opening import hub_in
from bothways.cli.output import HERE, Directory, Json, result, table, tell
from bothways.errors import Unusable
from bothways.operations import contacts
from bothways.registry.contact import ContactKind

Email = Annotated[str | None, Parameter(help="The e-mail address to write to.")]
Webhook = Annotated[str | None, Parameter(help="The https URL to post signed JSON to.")]


def add(
    tsp_id: str, *, email: Email = None, webhook: Webhook = None, directory: Directory = HERE, json: Json = False
) -> int:
    """Add a contact of a customer: told 60, 30, 14, 7 and 1 days before its certificates and chains end."""
    return _add(tsp_id, email, webhook, directory, json)


def list_(tsp_id: str, *, directory: Directory = HERE, json: Json = False) -> int:
    """List the contacts of a customer."""
    return _list(tsp_id, directory, json)


def remove(tsp_id: str, contact: int, *, directory: Directory = HERE, json: Json = False) -> int:
    """Remove a contact of a customer."""
    return _remove(tsp_id, contact, directory, json)


def add_own(*, email: Email = None, webhook: Webhook = None, directory: Directory = HERE, json: Json = False) -> int:
    """Add a contact of the operator: told what ends for all customers, and for the hub itself."""
    return _add(None, email, webhook, directory, json)


def list_own(*, directory: Directory = HERE, json: Json = False) -> int:
    """List the contacts of the operator."""
    return _list(None, directory, json)


def remove_own(contact: int, *, directory: Directory = HERE, json: Json = False) -> int:
    """Remove a contact of the operator."""
    return _remove(None, contact, directory, json)


def _add(tsp_id: str | None, email: str | None, webhook: str | None, directory: Directory, json: Json) -> int:
    if (email is None) == (webhook is None):
        raise Unusable("a contact is an e-mail address or a webhook: give one of --email and --webhook.")
    kind, address = (ContactKind.EMAIL, email) if email is not None else (ContactKind.WEBHOOK, webhook)
    with hub_in(directory) as hub:
        added = contacts.add_contact(hub, tsp_id, kind, address or "")
        document = added.document() | ({"secret": added.secret} if kind is ContactKind.WEBHOOK else {})
        result(document, f"{added.address} is contact {added.id}.", as_json=json)
        if kind is ContactKind.WEBHOOK:
            tell(f"Its secret, with which it verifies what it gets, and which is shown this once: {added.secret}")
        elif not hub.settings.smtp_host:
            tell("No mail server is set: nothing is sent until hub.toml has smtp.host and smtp.sender.")
        return OK


def _list(tsp_id: str | None, directory: Directory, json: Json) -> int:
    with hub_in(directory) as hub:
        found = contacts.list_contacts(hub, tsp_id)
        rows = [(each.id, each.kind.value, each.address) for each in found]
        result([each.document() for each in found], table(rows, ("CONTACT", "KIND", "ADDRESS")), as_json=json)
        return OK


def _remove(tsp_id: str | None, contact: int, directory: Directory, json: Json) -> int:
    with hub_in(directory) as hub:
        removed = contacts.remove_contact(hub, tsp_id, contact)
        result(removed.document() | {"removed": True}, f"{removed.address} is told nothing more.", as_json=json)
        return OK
