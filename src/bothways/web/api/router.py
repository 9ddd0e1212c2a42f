"""Everything of `/api/v1`, put together; and what its document says beside the operations."""

from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi

from bothways.operations.hub import Hub
from bothways.web.api.audit import audit_router
from bothways.web.api.bundles import bundle_router, bundles_router
from bothways.web.api.caller import Running
from bothways.web.api.certificates import certificates_router, revocation_router
from bothways.web.api.chains import chains_router
from bothways.web.api.contacts import contacts_router, own_contacts_router
from bothways.web.api.customers import customers_router
from bothways.web.api.described import describe
from bothways.web.api.endpoints import endpoint_router, endpoints_router
from bothways.web.api.gate import Gate, Identify
from bothways.web.api.hub import authorities_router, hub_router, nodes_router
from bothways.web.api.keys import keys_router
from bothways.web.api.observations import observations_router
from bothways.web.api.outbound import credentials_router, rotation_router
from bothways.web.api.people import people_router, tokens_router
from bothways.web.api.probes import probes_router
from bothways.web.api.requests import requests_router
from bothways.web.api.services import services_router

_NOUNS = (
    customers_router,
    contacts_router,
    bundle_router,
    bundles_router,
    endpoint_router,
    probes_router,
    credentials_router,
    requests_router,
    certificates_router,
    revocation_router,
    chains_router,
    endpoints_router,
    services_router,
    rotation_router,
    observations_router,
    keys_router,
    people_router,
    tokens_router,
    audit_router,
    hub_router,
    own_contacts_router,
    authorities_router,
    nodes_router,
)


def api_routers(hub: Hub, running: Running, identify: Identify | None = None) -> list[APIRouter]:
    """Return the routes, noun by noun; `identify` says who asks, if it is not the bearer token that does."""
    gate = Gate(hub, running, identify)
    return [each(gate) for each in _NOUNS]


def describe_api(app: FastAPI) -> None:
    """Have the application's OpenAPI document say what is the same for every operation."""

    def document() -> dict[str, Any]:
        if not app.openapi_schema:
            app.openapi_schema = describe(get_openapi(title=app.title, version="1", routes=app.routes))
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # the documented way
