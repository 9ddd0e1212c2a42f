"""The hub's client certificates in the API: those that customers' own CAs sign (R13), and the rotation (R15)."""

import asyncio
from typing import Literal

from fastapi import APIRouter
from pydantic import Field

from bothways.contract.document import KeyType
from bothways.operations import customer_credentials
from bothways.operations.customer_credentials import credential_document
from bothways.operations.rotation import (
    held_customers,
    own_certificates,
    renew_server_certificate,
    rotate_client_certificate,
)
from bothways.outbound.rotation import rotate_when_asked
from bothways.outbound.trial import require_taken
from bothways.registry.access import Action
from bothways.web.api.caller import Asks, Document
from bothways.web.api.gate import Gate
from bothways.web.api.inputs import Body, Flag, Reason, TspId

Attribute = Literal["C", "ST", "L", "O", "OU", "CN"]


class NewCredential(Body):
    """The subject that the customer asks for, by short names of attributes, and the kind of key."""

    subject: dict[Attribute, str] = Field({}, description="C, ST, L, O, OU and CN; the hub's own if empty.")
    key: KeyType = KeyType.ECDSA
    again: Flag = Field(default=False, description="Give up the request that waits.")


class Returned(Body):
    """What the customer's CA returned in PEM; `force` installs it although the customer's server does not take it."""

    certificate: str = Field(max_length=200_000)
    force: Flag = False


class Rotate(Body):
    """Which certificate of the hub gets a successor: `client`, which customers are shown, or `server`, the endpoint's.

    With `force`, no customer is asked first: one that pins the client certificate loses its calls.
    """

    certificate: Literal["client", "server"] = "client"
    force: Flag = False


def credentials_router(gate: Gate) -> APIRouter:
    """Return the routes of a customer's own certificate for the hub."""
    router = gate.router("outbound-credentials", "/customers/{tsp_id}/outbound-credentials")

    @router.get("")
    def _list(by: Asks, tsp_id: TspId) -> Document:
        """List what was requested of the customer's CA, oldest first; the active one is shown to the customer."""
        found = customer_credentials.show_credentials(by.may(Action.CUSTOMER_READ, tsp_id), tsp_id)
        return {"items": [credential_document(each) for each in found], "next": None}

    @router.post("", status_code=201)
    def _request(by: Asks, tsp_id: TspId, body: NewCredential) -> Document:
        """Make a key for this customer alone, and the request (CSR) that the customer's own CA signs."""
        hub = by.may(Action.CUSTOMER_WRITE, tsp_id)
        subject = {str(name): value for name, value in body.subject.items()}
        made = customer_credentials.request_credential(hub, tsp_id, subject, body.key, again=body.again)
        return credential_document(made)

    @router.post("/install")
    async def _install(by: Asks, tsp_id: TspId, body: Returned) -> Document:
        """Show this customer the certificate that its CA signed, after asking its server whether it takes it."""

        def work() -> Document:
            hub, data = by.may(Action.CUSTOMER_WRITE, tsp_id), body.certificate.encode(errors="replace")
            if not body.force:
                require_taken(hub, tsp_id, data)
            done = customer_credentials.install_credential(hub, tsp_id, data)
            findings = [each.document() for each in done.returned.findings]
            return credential_document(done.credential) | {"findings": findings}

        return await by.change(work)

    @router.post("/remove")
    async def _remove(by: Asks, tsp_id: TspId, body: Reason) -> Document:
        """Show this customer the hub's own client certificate again; a request that waits is given up."""

        def work() -> Document:
            customer_credentials.remove_credential(by.may(Action.CUSTOMER_WRITE, tsp_id), tsp_id, body.reason)
            return {"customer": tsp_id, "removed": True}

        return await by.change(work)

    return router


def rotation_router(gate: Gate) -> APIRouter:
    """Return the routes of the rotation of the hub's own client certificate."""
    router = gate.router("rotation")

    @router.get("")
    def _show(by: Asks) -> Document:
        """Show the hub's own certificates, each with its renewal, and which customers are held at an earlier one."""
        hub = by.may(Action.HUB_READ)
        return {"certificates": own_certificates(hub), "held": sorted(held_customers(hub))}

    @router.post("", status_code=201)
    async def _rotate(by: Asks, body: Rotate) -> Document:
        """Put a new client certificate to use towards all customers that take it; each one's server is asked first.

        Or a new server certificate, of endpoint and portal, with a new key: customers trust its CA, and are not asked.
        """
        hub = by.may(Action.HUB_WRITE)

        def work() -> Document:
            if body.certificate == "server":
                return {"serial": renew_server_certificate(hub), "asked": 0, "held": []}
            if body.force:
                return {"serial": rotate_client_certificate(hub), "asked": 0, "held": []}
            return rotate_when_asked(hub).document()

        # What was begun is brought to its end, whoever asked for it is gone or not.
        return await asyncio.shield(by.change(work))

    return router
