"""The hub itself in the API: status, contract, metrics, reopen, retry; its CAs and its nodes."""

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Response
from fastapi.responses import PlainTextResponse

from bothways.contract.document import KeyType
from bothways.contract.render import render_contract
from bothways.dataplane.standing import hub_standing
from bothways.errors import Unusable
from bothways.operations import authorities, nodes, server_rollover
from bothways.operations.closure import reopen_endpoint
from bothways.operations.hub import contract
from bothways.operations.rollout import try_again
from bothways.pki.keys import sha256
from bothways.registry.access import Action
from bothways.store.contracts import Way
from bothways.web.api.caller import Asks, Document
from bothways.web.api.gate import Gate
from bothways.web.api.inputs import NO_REASON, Body, Flag, OptionalReason, Reason
from bothways.web.api.paging import LIMIT, Limit, TspIdCursor, page

_Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
_METRICS = "text/plain; version=0.0.4; charset=utf-8"
_CA_KEYS = {"p256": KeyType.ECDSA, "rsa4096": KeyType.RSA}


class NewAuthority(Body):
    """Which CA gets one beside it, and the kind of its key, if not as that of the one before."""

    role: Literal["issuing", "client", "node", "server"] = "issuing"
    ca_key: Literal["p256", "rsa4096"] | None = None


class Decided(Reason):
    """Why; and whether customers are left behind that may not trust the next server CA yet."""

    force: Flag = False


def hub_router(gate: Gate) -> APIRouter:
    """Return the routes of the hub as a whole."""
    router = gate.router("hub")

    @router.get("/status")
    async def _status(by: Asks) -> Document:
        """Show whether the hub runs, what its Envoys serve, and what is about to end."""
        hub = by.may(Action.HUB_READ)
        # The status belongs to the event loop; what is read from the database does not hold it up.
        running = by.running.status() if by.running.status else None
        return await asyncio.to_thread(hub_standing, hub, running)

    @router.get("/metrics", response_class=PlainTextResponse)
    async def _metrics(by: Asks) -> Response:
        """Print the metrics of the running hub in Prometheus's text format."""
        by.may(Action.HUB_READ)
        running = by.running
        if running.status is None or running.metrics is None:
            raise Unusable("the hub does not run, and has no metrics. Start it: bothways hub run")
        return Response(await asyncio.to_thread(running.metrics, running.status()), media_type=_METRICS)

    @router.get("/contract")
    def _contract(by: Asks) -> Document:
        """Show the contract as it is published, with the SHA-256 of it for customers to compare by phone."""
        hub = by.may(Action.CUSTOMER_READ, by.tsp_id)
        text = render_contract(contract(hub))
        if by.tsp_id is not None:
            server_rollover.contract_taken(hub, by.tsp_id, Way.FETCHED)
        return {"contract": text, "fingerprint": sha256(text.encode())}

    @router.post("/reopen")
    async def _reopen(by: Asks, body: OptionalReason = NO_REASON) -> Document:
        """Open the endpoint that the canary shut, after what it found was mended."""

        def work() -> Document:
            ended = reopen_endpoint(by.may(Action.HUB_WRITE), body.reason)
            return {"shut_at": ended.at.isoformat(), "reason": ended.reason}

        return await by.change(work)

    @router.post("/retry")
    async def _retry(by: Asks, body: OptionalReason = NO_REASON) -> Document:
        """Give one node what is held back again, after what it refused it for was mended there."""
        return await by.change(lambda: try_again(by.may(Action.HUB_WRITE), body.reason).document())

    return router


def authorities_router(gate: Gate) -> APIRouter:
    """Return the routes of the hub's CAs."""
    router = gate.router("authorities")

    @router.get("")
    def _list(by: Asks) -> Document:
        """List all CAs of the hub, with how many certificates of each are in force."""
        return {"items": authorities.list_authorities(by.may(Action.HUB_READ)), "next": None}

    @router.post("", status_code=201)
    async def _add(by: Asks, body: NewAuthority) -> Document:
        """Put a new CA beside the one that signs: both are trusted. See the page on client certificates."""

        def work() -> Document:
            kind = _CA_KEYS[body.ca_key] if body.ca_key else None
            return authorities.authority_added(by.may(Action.HUB_WRITE), body.role, kind)

        return await by.change(work)

    @router.post("/{number}/activate")
    async def _activate(by: Asks, number: _Number, body: Decided) -> Document:
        """Have endpoint and portal show a certificate of this server CA from now on; the same leads back."""

        def work() -> Document:
            hub = by.may(Action.HUB_WRITE)
            return server_rollover.activate_authority(hub, number, body.reason, force=body.force)

        return await by.change(work)

    @router.get("/{number}/behind")
    def _behind(by: Asks, number: _Number, after: TspIdCursor = "", limit: Limit = LIMIT) -> Document:
        """List who can call, and has not taken the contract since it names this server CA."""
        found = server_rollover.list_behind(by.may(Action.HUB_READ), number, after, limit + 1)
        return page(found, limit, lambda each: each["customer"], dict)

    @router.post("/{number}/retire")
    async def _retire(by: Asks, number: _Number, body: Decided) -> Document:
        """Trust a CA no more; refused while it signs, or a certificate of it is in force or shown to customers.

        A server CA is refused while customers may trust no other.
        """

        def work() -> Document:
            authorities.retire_authority(by.may(Action.HUB_WRITE), number, body.reason, force=body.force)
            return {"id": number, "state": "retired"}

        return await by.change(work)

    return router


def nodes_router(gate: Gate) -> APIRouter:
    """Return the routes of remote Envoys."""
    router = gate.router("nodes")

    @router.get("")
    def _list(by: Asks) -> Document:
        """List all nodes that there ever were; whether they are connected, the status says."""
        return {"items": nodes.list_nodes(by.may(Action.HUB_READ)), "next": None}

    @router.post("/{node}/withdraw")
    async def _withdraw(by: Asks, node: Annotated[str, Path(max_length=63)], body: Reason) -> Document:
        """Let a node in no more. It goes on with what it has until it is stopped."""

        def work() -> Document:
            nodes.withdraw_node(by.may(Action.HUB_WRITE), node, body.reason)
            return {"node": node, "state": "withdrawn"}

        return await by.change(work)

    return router
