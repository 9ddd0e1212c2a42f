"""CA chains of customers' servers in the API: list, submit, show as a tree, endorse, refuse, withdraw (R14)."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from bothways.operations import chains
from bothways.operations.hub import Hub
from bothways.registry.access import Action
from bothways.store.chains import ChainState, StoredChain, absent
from bothways.web.api.caller import Asks, Caller, Document
from bothways.web.api.described import TWO_PEOPLE
from bothways.web.api.etag import IfMatch, require_match, tagged
from bothways.web.api.gate import Gate
from bothways.web.api.inputs import Body, Flag, Number, Reason
from bothways.web.api.paging import LIMIT, Limit, NumberCursor, page


class NewChain(Body):
    """The CA chain of a customer's server in PEM."""

    customer: str
    # The rules say their limit in bytes; this one only keeps the reading of JSON small.
    chain: str = Field(max_length=200_000)


class Endorsement(Body):
    """How a chain is endorsed: `public_root` although everybody's CA is in it, `pins` for certain keys alone."""

    public_root: Flag = False
    pins: list[Annotated[str, Field(max_length=128)]] = Field([], max_length=64)


def chains_router(gate: Gate) -> APIRouter:
    """Return the routes."""
    router = gate.router("chains")

    @router.get("")
    def _list(
        by: Asks,
        customer: Annotated[str | None, Query(max_length=64, description="Only those of this customer.")] = None,
        state: Annotated[ChainState | None, Query(description="Only those in this state.")] = None,
        after: NumberCursor = 0,
        limit: Limit = LIMIT,
    ) -> Document:
        """List chains, oldest first; a customer sees its own."""
        hub = by.may(Action.CUSTOMER_READ, customer or by.tsp_id)
        found = chains.list_chains(hub, customer or by.tsp_id, state, after, limit + 1)
        return page(found, limit, lambda each: each.id, StoredChain.document)

    @router.post("", status_code=201)
    def _submit(by: Asks, body: NewChain) -> Document:
        """Submit the CA chain of a customer's server for review; it is shown as it was understood."""
        hub = by.may(Action.CHAIN_SUBMIT, body.customer)
        stored = chains.submit_chain(hub, body.customer, body.chain.encode(errors="replace"), "chain")
        return chains.chain_review(hub, stored.id)

    @router.get("/{number}")
    def _show(by: Asks, number: Number, response: Response) -> Document:
        """Show a chain: as a tree, with what the rules say about it now, and in PEM."""
        return tagged(response, chains.chain_review(_hub_of(by, Action.CUSTOMER_READ, number), number))

    @router.post("/{number}/endorse", responses=TWO_PEOPLE)
    async def _endorse(by: Asks, number: Number, body: Endorsement, if_match: IfMatch = None) -> Document:
        """Endorse a chain: it vouches for this customer's server, and for no other."""

        def work() -> Document:
            hub = _read(by, number, if_match)
            pins = [each.replace(":", "").lower() for each in body.pins]
            return chains.endorse_chain(hub, number, public_root=body.public_root, pins=pins).document()

        return await by.change(work)

    @router.post("/{number}/refuse")
    def _refuse(by: Asks, number: Number, body: Reason, if_match: IfMatch = None) -> Document:
        """Refuse a chain."""
        return chains.refuse_chain(_read(by, number, if_match), number, body.reason).document()

    @router.post("/{number}/withdraw")
    async def _withdraw(by: Asks, number: Number, body: Reason, if_match: IfMatch = None) -> Document:
        """Withdraw an endorsement: the chain vouches for nothing any more."""

        def work() -> Document:
            return chains.withdraw_chain(_read(by, number, if_match), number, body.reason).document()

        return await by.change(work)

    return router


def _hub_of(by: Caller, action: Action, number: int) -> Hub:
    # To find out whose it is, it has to be looked at; what was seen stays here.
    stored = chains.show_chain(by.may(Action.CUSTOMER_READ, by.tsp_id), number)
    return by.may_with(action, stored.tsp_id, absent(number))


def _read(by: Caller, number: int, if_match: str | None) -> Hub:
    """Return the hub for a decision about what the caller read."""
    hub = _hub_of(by, Action.CHAIN_DECIDE, number)
    if if_match is not None:
        require_match(if_match, chains.chain_review(hub, number))
    return hub
