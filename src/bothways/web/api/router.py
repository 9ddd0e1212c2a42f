"""Everything of `/api/v1`, put together."""

from fastapi import APIRouter

from bothways.operations.hub import Hub
from bothways.web.api.caller import Apply, callers
from bothways.web.api.certificates import certificates_router
from bothways.web.api.customers import customers_router
from bothways.web.api.observations import observations_router
from bothways.web.api.probes import probes_router
from bothways.web.api.requests import requests_router

PREFIX = "/api/v1"


def api_router(hub: Hub, apply: Apply) -> APIRouter:
    """Return all routes; `apply` brings what was stored into force."""
    router, caller = APIRouter(prefix=PREFIX), callers(hub, apply)
    for each in (customers_router, probes_router, requests_router, certificates_router, observations_router):
        router.include_router(each(caller))
    return router
