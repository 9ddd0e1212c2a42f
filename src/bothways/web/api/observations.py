"""Observations in the API: why calls to the endpoint failed."""

from typing import Annotated

from fastapi import APIRouter, Query

from bothways.connectivity.observation import Observation
from bothways.operations.observations import list_observations
from bothways.registry.access import Action
from bothways.web.api.caller import Asks, Document
from bothways.web.api.gate import Gate
from bothways.web.api.paging import LIMIT, Limit, NumberCursor, page


def observations_router(gate: Gate) -> APIRouter:
    """Return the routes."""
    router = gate.router("observations")

    @router.get("")
    def _list(
        by: Asks,
        unmatched: Annotated[bool, Query(description="Only those that nothing ties to a customer.")] = False,  # noqa: FBT002
        after: NumberCursor = 0,
        limit: Limit = LIMIT,
    ) -> Document:
        """List why calls failed, the last one first; a customer sees its own, and never those of nobody known."""
        hub = by.may(Action.CUSTOMER_READ, None if unmatched else by.tsp_id)
        found = list_observations(hub, by.tsp_id, unmatched=unmatched, after=after, limit=limit + 1)
        return page(found, limit, lambda each: each.id, Observation.document)

    return router
