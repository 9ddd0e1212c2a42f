"""`/connectivity`: what your flows lack, why your last calls failed, the contract, a probe of your server; and EST.

Served on a unix socket that only Envoy can reach, so that the identity headers are Envoy's.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, Query, Request, Response

from bothways.contract.render import render_contract
from bothways.dataplane.applied import Applied
from bothways.operations.certificates import certificate_seen
from bothways.operations.customers import show_customer
from bothways.operations.hub import Hub, contract
from bothways.operations.observations import last_failures
from bothways.operations.server_rollover import contract_taken
from bothways.outbound.asked import AskedProbes
from bothways.pki.keys import sha256
from bothways.store.contracts import Way
from bothways.web import problem
from bothways.web.application import Application, name_actor
from bothways.web.est import public_router, reenroll_router

_InForce = Annotated[str, Query(alias="in-force", max_length=64)]
"""The SHA-256 of the contract that the caller works by, if it says so."""

_OPENING = 3.0
_ACCEPTED, _TOO_MANY = 202, 429


def connectivity_app(hub: Hub, apply: Callable[[], Awaitable[Applied]]) -> FastAPI:
    """Return the application; a call that reaches it proves the inbound flow of the calling customer (R2).

    The first one opens, by `apply`, the services that waited for it, before it is answered; an Envoy that is away makes
    it wait at most three seconds.
    """
    app = Application("Bothways connectivity", behind=True, openapi_url=None, dependencies=[Depends(_caller)])
    problem.install(app)
    app.include_router(public_router(hub))
    app.include_router(reenroll_router(hub, apply))
    _add_probes(app, AskedProbes(hub, apply))

    @app.get("/connectivity")
    async def connectivity(
        bothways_customer: Annotated[str, Header()],
        bothways_certificate: Annotated[str, Header()],
        in_force: _InForce = "",
    ) -> dict[str, Any]:
        certificate = await asyncio.to_thread(certificate_seen, hub, bothways_certificate)
        if certificate.seen_at is None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_OPENING):
                    await apply()
        published = await asyncio.to_thread(_published, hub)
        if in_force == sha256(published):
            await asyncio.to_thread(contract_taken, hub, bothways_customer, Way.IN_FORCE)
        view = await asyncio.to_thread(show_customer, hub, bothways_customer)
        failures = await asyncio.to_thread(last_failures, hub, bothways_customer)
        return {
            "customer": view.customer.tsp_id,
            "environment": hub.environment.value,
            "certificate": {
                "serial": certificate.serial,
                "fingerprint": bothways_certificate,
                "not_after": certificate.not_after.isoformat(),
            },
            "inbound": view.assessment.inbound.document(),
            "outbound": view.assessment.outbound.document(),
            "failures": [each.document() for each in failures],
            "contract": {"fingerprint": sha256(published)},
        }

    @app.get("/connectivity/contract")
    async def contract_now(bothways_customer: Annotated[str, Header()], in_force: _InForce = "") -> Response:
        """Return the contract as it is published now, for spokes that have an older one.

        Who does not say which one is in force there is taken to put this one in force.
        """
        published = await asyncio.to_thread(_published, hub)
        if not in_force:
            await asyncio.to_thread(contract_taken, hub, bothways_customer, Way.FETCHED)
        return Response(published, media_type="application/toml")

    return app


def _published(hub: Hub) -> bytes:
    return render_contract(contract(hub)).encode()


async def _caller(request: Request) -> None:
    name_actor(request, request.headers.get("bothways-customer", ""))


def _add_probes(app: FastAPI, probes: AskedProbes) -> None:
    @app.post("/connectivity/probe", status_code=_ACCEPTED)
    async def ask(bothways_customer: Annotated[str, Header()], response: Response) -> dict[str, Any]:
        """Begin a probe of the calling customer's server. 429 with `Retry-After` if the last one is too fresh."""
        wait = await probes.ask(bothways_customer)
        if wait:
            response.status_code, response.headers["Retry-After"] = _TOO_MANY, str(wait)
        return await probes.told(bothways_customer)

    @app.get("/connectivity/probe")
    async def told(bothways_customer: Annotated[str, Header()]) -> dict[str, Any]:
        """Return the calling customer's server, its endorsed chains, its last probe, and whether one is under way."""
        return await probes.told(bothways_customer)
