"""Trust, both ways: the hub's CAs to download and compare, the customer's server, its chain, and the probe of it."""

import asyncio
from typing import Annotated, Any

from cryptography import x509
from fastapi import APIRouter, Depends
from fastapi.responses import Response

from bothways.errors import NotFound, Refused
from bothways.operations.chains import list_chains, submit_chain
from bothways.operations.customers import show_customer
from bothways.operations.endpoints import last_submitted, list_probes, show_endpoint, submit_endpoint
from bothways.operations.hub import Hub, contract
from bothways.operations.server_rollover import contract_taken, standing
from bothways.pki.chain import parse_anchors
from bothways.pki.tree import chain_document
from bothways.registry.access import Action
from bothways.store.contracts import Way
from bothways.store.submitted_endpoints import SubmittedEndpoint
from bothways.web.pages.customer import Before, Done, TspId, newest, pem_file
from bothways.web.pages.evidence import shown_probes
from bothways.web.pages.probing import Probes
from bothways.web.pages.view import View
from bothways.web.pages.visitor import Form, Gate, Visitor, redirect

_SHOWN = 20
_REFUSED = 422


def trust_router(gate: Gate, view: View, probes: Probes) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/customers/{tsp_id}", include_in_schema=False)
    who = Annotated[Visitor, Depends(gate.visitor)]
    sent = Annotated[Form, Depends(gate.posted)]

    @router.get("/trust")
    def _trust(visitor: who, tsp_id: TspId, done: Done = "", before: Before = 0) -> Response:
        hub = visitor.may(Action.CUSTOMER_READ, tsp_id)
        return view.page("trust.html", done=done, **_trust_page(hub, visitor, tsp_id, before))

    @router.get("/trust/client-ca.crt")
    def _client_ca(visitor: who, tsp_id: TspId) -> Response:
        return pem_file(contract(visitor.may(Action.CUSTOMER_READ, tsp_id)).trust.client_ca, "client-ca.crt")

    @router.get("/trust/server-ca.crt")
    def _server_ca(visitor: who, tsp_id: TspId) -> Response:
        return pem_file(_server_cas(visitor, tsp_id), "ca.crt")

    @router.post("/trust/chain")
    async def _submit_chain(form: sent, tsp_id: TspId) -> Response:
        hub = form.visitor.may(Action.CHAIN_SUBMIT, tsp_id)
        content = form.content("chain")
        try:
            await asyncio.to_thread(submit_chain, hub, tsp_id, content, "chain")
        except Refused as refused:
            page = await asyncio.to_thread(_trust_page, hub, form.visitor, tsp_id)
            shown = harmless(form.text("chain"))
            return view.page("trust.html", _REFUSED, findings=refused.findings, pasted=shown, **page)
        return redirect(f"/customers/{tsp_id}/trust?done=submitted#content")

    @router.get("/endpoint")
    def _endpoint(visitor: who, tsp_id: TspId, done: Done = "") -> Response:
        hub = visitor.may(Action.CUSTOMER_READ, tsp_id)
        return view.page("endpoint.html", done=done, **_endpoint_page(hub, visitor, tsp_id, probes))

    @router.post("/endpoint")
    async def _submit_endpoint(form: sent, tsp_id: TspId) -> Response:
        hub, url = form.visitor.may(Action.ENDPOINT_WRITE, tsp_id), form.text("url").strip()
        try:
            stored = await asyncio.to_thread(submit_endpoint, hub, tsp_id, url)
        except Refused as refused:
            page = await asyncio.to_thread(_endpoint_page, hub, form.visitor, tsp_id, probes)
            return view.page("endpoint.html", _REFUSED, findings=refused.findings, url=url, **page)
        done = "submitted" if isinstance(stored, SubmittedEndpoint) else await form.visitor.apply()
        return redirect(f"/customers/{tsp_id}/endpoint?done={done}")

    @router.post("/endpoint/probe")
    async def _probe(form: sent, tsp_id: TspId) -> Response:
        hub = form.visitor.may(Action.PROBE, tsp_id)
        await asyncio.to_thread(show_customer, hub, tsp_id)
        await probes.begin(hub, tsp_id, form.visitor.apply)
        return redirect(f"/customers/{tsp_id}/endpoint")

    return router


def harmless(pasted: str) -> str:
    """Return what was pasted, to be mended; nothing of it if a private key may be in it."""
    return "" if "PRIVATE" in pasted.upper() else pasted


def authorities(pem: str) -> list[dict[str, Any]]:
    """Return the certificates of a bundle, as people compare them."""
    return [chain_document((each,)) for each in x509.load_pem_x509_certificates(pem.encode())]


def _server_cas(visitor: Visitor, tsp_id: str) -> str:
    """Return the server CAs in PEM; from now on the customer has them, if it is not the hub's own people who look."""
    hub = visitor.may(Action.CUSTOMER_READ, tsp_id)
    pem = contract(hub).trust.server_ca
    if not visitor.of_hub:
        contract_taken(hub, tsp_id, Way.PORTAL)
    return pem


def _trust_page(hub: Hub, visitor: Visitor, tsp_id: str, before: int = 0) -> dict[str, Any]:
    chains, older = newest(list_chains(hub, tsp_id), before, lambda each: each.id, _SHOWN)
    trust = contract(hub).trust
    return {
        "visitor": visitor,
        "place": "trust",
        "customer": show_customer(hub, tsp_id).customer,
        "client_cas": authorities(trust.client_ca),
        "server_cas": authorities(trust.server_ca),
        "standing": standing(hub, tsp_id),
        "older": older,
        "chains": [
            {"stored": each, "certificates": chain_document(parse_anchors(each.pem.encode(), f"chain {each.id}"))}
            for each in chains
        ],
        "may_submit": visitor.can(Action.CHAIN_SUBMIT),
        "may_withdraw": visitor.can(Action.CHAIN_DECIDE),
    }


def _endpoint_page(hub: Hub, visitor: Visitor, tsp_id: str, probes: Probes) -> dict[str, Any]:
    customer = show_customer(hub, tsp_id).customer
    try:
        endpoint = show_endpoint(hub, tsp_id)
    except NotFound:
        endpoint = None
    return {
        "visitor": visitor,
        "place": "endpoint",
        "customer": customer,
        "endpoint": endpoint,
        "named": last_submitted(hub, tsp_id),
        "probes": shown_probes(list_probes(hub, tsp_id)),
        "run": probes.latest(hub, tsp_id),
        "may_write": visitor.can(Action.ENDPOINT_WRITE),
        "may_probe": visitor.can(Action.PROBE),
    }
