"""The hub's client certificate that a customer's own CA signs (R13): its request goes out, the certificate comes in."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any

from cryptography import x509
from fastapi import APIRouter, Depends
from fastapi.responses import Response

from bothways.contract.document import KeyType
from bothways.errors import BothwaysError, NotFound
from bothways.operations.customer_credentials import (
    credential_document,
    install_credential,
    remove_credential,
    request_credential,
    show_credentials,
)
from bothways.operations.customers import show_customer
from bothways.outbound.trial import require_taken
from bothways.pki.rules import SUBJECT
from bothways.registry.access import Action
from bothways.store.customer_credentials import CredentialState
from bothways.web.pages.customer import Done, TspId, pem_file
from bothways.web.pages.view import View
from bothways.web.pages.visitor import Form, Gate, Visitor, redirect, told
from bothways.web.problem import status_of

_SHOWN = 10


def credentials_router(gate: Gate, view: View) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/customers/{tsp_id}/own-ca", include_in_schema=False)
    who = Annotated[Visitor, Depends(gate.visitor)]

    @router.get("")
    def _own_ca(visitor: who, tsp_id: TspId, done: Done = "") -> Response:
        return view.page("own_ca.html", done=done, **_page(visitor, tsp_id))

    @router.get("/hub-client.csr")
    def _request(visitor: who, tsp_id: TspId) -> Response:
        waiting = _page(visitor, tsp_id)["waiting"]
        if waiting is None:
            raise NotFound("no request of the hub waits for your CA. Ask the hub's representative for one.")
        return pem_file(waiting["request"], "hub-client.csr")

    _changes(router, gate, view)
    return router


def _changes(router: APIRouter, gate: Gate, view: View) -> None:
    sent = Annotated[Form, Depends(gate.posted)]

    async def changed(form: Form, tsp_id: str, work: Callable[[], object]) -> Response:
        try:
            await asyncio.to_thread(work)
        except BothwaysError as error:
            page = await asyncio.to_thread(_page, form.visitor, tsp_id)
            return view.page("own_ca.html", status_of(error), **page, **told(error))
        return redirect(f"/customers/{tsp_id}/own-ca?done={await form.visitor.apply()}")

    @router.post("/request")
    async def _make(form: sent, tsp_id: TspId) -> Response:
        hub = form.visitor.may(Action.CUSTOMER_WRITE, tsp_id)
        attributes = {each: form.text(each).strip() for each in SUBJECT if form.text(each).strip()}
        kind, again = KeyType.RSA if form.text("key") == KeyType.RSA else KeyType.ECDSA, bool(form.text("again"))
        return await changed(form, tsp_id, lambda: request_credential(hub, tsp_id, attributes, kind, again=again))

    @router.post("/install")
    async def _install(form: sent, tsp_id: TspId) -> Response:
        hub, data = form.visitor.may(Action.CUSTOMER_WRITE, tsp_id), form.content("certificate")

        def work() -> None:
            if not form.text("force"):
                require_taken(hub, tsp_id, data)
            install_credential(hub, tsp_id, data)

        return await changed(form, tsp_id, work)

    @router.post("/remove")
    async def _remove(form: sent, tsp_id: TspId) -> Response:
        hub, reason = form.visitor.may(Action.CUSTOMER_WRITE, tsp_id), form.why()
        return await changed(form, tsp_id, lambda: remove_credential(hub, tsp_id, reason))


def _page(visitor: Visitor, tsp_id: str) -> dict[str, Any]:
    hub = visitor.may(Action.CUSTOMER_READ, tsp_id)
    found = show_credentials(hub, tsp_id)[::-1]
    by_state = {state: next((each for each in found if each.state is state), None) for state in CredentialState}
    waiting, active = by_state[CredentialState.REQUESTED], by_state[CredentialState.ACTIVE]
    return {
        "visitor": visitor,
        "place": "trust",
        "customer": show_customer(hub, tsp_id).customer,
        "waiting": waiting and credential_document(waiting) | {"at": waiting.requested_at},
        "active": active and credential_document(active) | _validity(active.chain),
        "earlier": [each for each in found if each.ended_at][:_SHOWN],
        "attributes": tuple(SUBJECT),
        "may_write": visitor.can(Action.CUSTOMER_WRITE),
    }


def _validity(chain: str) -> dict[str, Any]:
    certificate = x509.load_pem_x509_certificate(chain.encode())
    return {"not_before": certificate.not_valid_before_utc, "not_after": certificate.not_valid_after_utc}
