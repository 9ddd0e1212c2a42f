"""Contacts in the API: who is told what is about to end, for a customer, and for the operator."""

from fastapi import APIRouter
from pydantic import Field

from bothways.operations import contacts
from bothways.operations.hub import Hub
from bothways.registry.access import Action
from bothways.registry.contact import ContactKind
from bothways.web.api.caller import Asks, Document
from bothways.web.api.gate import SHOWN_ONCE, Gate
from bothways.web.api.inputs import Body, Number, TspId, Why


class NewContact(Body):
    """Who is told, and how."""

    kind: ContactKind
    address: str = Field(max_length=2048)


def contacts_router(gate: Gate) -> APIRouter:
    """Return the routes."""
    router = gate.router("contacts", "/customers/{tsp_id}/contacts")

    @router.get("")
    def _list(by: Asks, tsp_id: TspId) -> Document:
        """List the contacts of a customer."""
        return _listed(by.may(Action.CUSTOMER_READ, tsp_id), tsp_id)

    @router.post("", status_code=201, openapi_extra=SHOWN_ONCE)
    def _add(by: Asks, tsp_id: TspId, body: NewContact) -> Document:
        """Add a contact of a customer; the secret of a webhook is shown once."""
        return _added(by.may(Action.CUSTOMER_WRITE, tsp_id), tsp_id, body)

    @router.delete("/{number}")
    def _remove(by: Asks, tsp_id: TspId, number: Number, reason: Why) -> Document:
        """Remove a contact of a customer."""
        return _removed(by.may(Action.CUSTOMER_WRITE, tsp_id), tsp_id, number, reason)

    return router


def own_contacts_router(gate: Gate) -> APIRouter:
    """Return the routes of the operator's contacts."""
    router = gate.router("contacts", "/hub/contacts")

    @router.get("")
    def _list(by: Asks) -> Document:
        """List the contacts of the operator."""
        return _listed(by.may(Action.HUB_READ), None)

    @router.post("", status_code=201, openapi_extra=SHOWN_ONCE)
    def _add(by: Asks, body: NewContact) -> Document:
        """Add a contact of the operator; the secret of a webhook is shown once."""
        return _added(by.may(Action.HUB_WRITE), None, body)

    @router.delete("/{number}")
    def _remove(by: Asks, number: Number, reason: Why) -> Document:
        """Remove a contact of the operator."""
        return _removed(by.may(Action.HUB_WRITE), None, number, reason)

    return router


def _listed(hub: Hub, tsp_id: str | None) -> Document:
    return {"items": [each.document() for each in contacts.list_contacts(hub, tsp_id)], "next": None}


def _added(hub: Hub, tsp_id: str | None, body: NewContact) -> Document:
    return contacts.contact_added(hub, tsp_id, body.kind, body.address)


def _removed(hub: Hub, tsp_id: str | None, number: int, reason: str) -> Document:
    return contacts.remove_contact(hub, tsp_id, number, reason).document() | {"removed": True}
