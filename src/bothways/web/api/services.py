"""Services in the API: list, add, grant, withdraw (R2, R3)."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from bothways.operations import services
from bothways.operations.services import service_document
from bothways.registry.access import Action
from bothways.registry.flow import Flow
from bothways.registry.service import TIMEOUT, TIMEOUT_MOST, Service
from bothways.web.api.caller import Asks, Document
from bothways.web.api.gate import Gate
from bothways.web.api.inputs import Body, Flag, TspId, Whole, Why, ruled
from bothways.web.api.paging import LIMIT, Limit, TspIdCursor, page

Name = Annotated[str, Path(max_length=63, description="The service's name.")]


class NewService(Body):
    """A service behind the endpoint; `upstream_ca` is PEM, for an https upstream."""

    name: Annotated[str, ruled(pattern="^[a-z][a-z0-9-]{0,62}$")]
    prefix: Annotated[str, ruled(pattern="^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$")]
    upstream: str
    needs: list[Flow] = Field([Flow.INBOUND], min_length=1)
    upstream_ca: str = Field("", max_length=200_000)
    http2: bool = False
    timeout: Annotated[Whole, ruled(minimum=1, maximum=TIMEOUT_MOST)] = Field(TIMEOUT, description="Seconds.")
    streaming: Whole = Field(0, description="Seconds that a stream may live; 0: the service has none.")
    health_path: str = ""
    strip_prefix: Flag = False
    client_cert: Flag = False


def services_router(gate: Gate) -> APIRouter:
    """Return the routes."""
    router = gate.router("services")

    @router.get("")
    def _list(by: Asks) -> Document:
        """List services; the hub sees to how many customers each was granted, a customer sees its own alone."""
        hub = by.may(Action.CUSTOMER_READ, by.tsp_id)
        if by.tsp_id is None:
            found = services.list_services(hub)
            return {"items": [service_document(each, customers) for each, customers in found], "next": None}
        own = [each for each, granted in services.services_of(hub, by.tsp_id) if granted]
        # Where the hub's services listen is no customer's business.
        shown = [{"name": each.name, "prefix": each.prefix, "needs": sorted(each.needs)} for each in own]
        return {"items": shown, "next": None}

    @router.post("", status_code=201)
    async def _add(by: Asks, body: NewService) -> Document:
        """Put a service behind the endpoint."""

        def work() -> Document:
            hub = by.may(Action.SERVICE_WRITE)
            service = Service(**body.model_dump() | {"needs": frozenset(body.needs)})
            services.add_service(hub, service)
            return service_document(service, 0) | {"at": f"{hub.terms.endpoint}{service.prefix}"}

        return await by.change(work)

    @router.get("/{name}/grants")
    def _grants(by: Asks, name: Name, after: TspIdCursor = "", limit: Limit = LIMIT) -> Document:
        """List the customers that a service was granted to, by tspId."""
        found = services.list_grants(by.may(Action.HUB_READ), name, after, limit + 1)
        return page(found, limit, lambda each: each["customer"], dict)

    @router.put("/{name}/grants/{tsp_id}")
    async def _grant(by: Asks, name: Name, tsp_id: TspId) -> Document:
        """Grant a service to a customer; it is reachable once the flows that it needs are established."""

        def work() -> Document:
            services.grant_service(by.may(Action.SERVICE_WRITE, tsp_id), name, tsp_id)
            return {"service": name, "customer": tsp_id, "granted": True}

        return await by.change(work)

    @router.delete("/{name}/grants/{tsp_id}")
    async def _withdraw(by: Asks, name: Name, tsp_id: TspId, reason: Why) -> Document:
        """Withdraw a service from a customer."""

        def work() -> Document:
            services.withdraw_service(by.may(Action.SERVICE_WRITE, tsp_id), name, tsp_id, reason)
            return {"service": name, "customer": tsp_id, "granted": False}

        return await by.change(work)

    return router
