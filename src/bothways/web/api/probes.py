"""Probes of customers' servers in the API: list."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Depends

from bothways.operations.endpoints import list_probes
from bothways.registry.access import Action
from bothways.web.api.caller import Caller, Document


def probes_router(caller: Callable[..., Awaitable[Caller]]) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/customers/{tsp_id}/probes", tags=["probes"])
    asks = Annotated[Caller, Depends(caller)]

    @router.get("")
    def _list(by: asks, tsp_id: str) -> Document:
        """List the probes of the customer's server that are kept, newest first, with findings and evidence."""
        hub = by.may(Action.CUSTOMER_READ, tsp_id)
        # There are eleven at most, so there is one page.
        return {"items": [each.document() for each in list_probes(hub, tsp_id)], "next": None}

    return router
