"""Probes of customers' servers in the API: list, run."""

from fastapi import APIRouter

from bothways.operations.endpoints import list_probes
from bothways.outbound.probe import probe_customer, probe_target
from bothways.registry.access import Action
from bothways.web.api.caller import Asks, Document
from bothways.web.api.gate import Gate
from bothways.web.api.inputs import TspId


def probes_router(gate: Gate) -> APIRouter:
    """Return the routes."""
    router = gate.router("probes", "/customers/{tsp_id}/probes")

    @router.get("")
    def _list(by: Asks, tsp_id: TspId) -> Document:
        """List the probes of the customer's server that are kept, newest first, with findings and evidence."""
        hub = by.may(Action.CUSTOMER_READ, tsp_id)
        # There are eleven at most, so there is one page.
        return {"items": [each.document() for each in list_probes(hub, tsp_id)], "next": None}

    @router.post("", status_code=201)
    async def _run(by: Asks, tsp_id: TspId) -> Document:
        """Look at the customer's server from all sides, and call it through the hub's Envoy; record what was seen."""
        hub = by.may(Action.PROBE, tsp_id)

        def target() -> Document:
            probe_target(hub, tsp_id)
            return {}

        # A probe of an older configuration would prove something else.
        await by.change(target)
        return await by.change(lambda: {"customer": tsp_id} | probe_customer(hub, tsp_id).document())

    return router
