"""The queue of reviews, and one review: what is asked, what is registered and what the rules say, side by side."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import Response

from bothways.errors import NotFound
from bothways.findings import Level
from bothways.operations import chains, endpoints, requests, two_people
from bothways.operations.customers import show_customer
from bothways.operations.hub import Hub
from bothways.operations.review_queue import organizations, page_chains, page_endpoints, page_requests
from bothways.operations.second_person import own_proposals, waiting_people
from bothways.operations.services import services_of
from bothways.pki.chain import parse_anchors
from bothways.pki.request import CertificationRequest
from bothways.pki.tree import chain_document
from bothways.registry.access import Action
from bothways.store.chains import ChainState
from bothways.store.proposals import Kind as Thing
from bothways.store.requests import RequestState, StoredRequest
from bothways.web.pages.comparing import endpoint_lines, request_lines
from bothways.web.pages.customer import Done, Number
from bothways.web.pages.view import View
from bothways.web.pages.visitor import Gate, Visitor

_SHOWN = 25
DECIDE = {
    "requests": Action.REQUEST_DECIDE,
    "chains": Action.CHAIN_DECIDE,
    "endpoints": Action.ENDPOINT_DECIDE,
}
_KIND = {"requests": Thing.REQUEST, "chains": Thing.CHAIN, "endpoints": Thing.ENDPOINT}
_After = Annotated[int, Query(ge=0, le=2**63 - 1)]
Kind = Annotated[str, Path(pattern="^(requests|chains|endpoints)$")]


def reviews_router(gate: Gate, view: View) -> APIRouter:
    """Return the routes."""
    router = APIRouter(include_in_schema=False)
    who = Annotated[Visitor, Depends(gate.visitor)]

    @router.get("/reviews")
    def _queue(
        visitor: who, done: Done = "", after: _After = 0, chains_after: _After = 0, servers_after: _After = 0
    ) -> Response:
        return view.page("reviews.html", done=done, **queue_page(visitor, after, chains_after, servers_after))

    @router.get("/reviews/{kind}/{number}")
    def _review(visitor: who, kind: Kind, number: Number) -> Response:
        return view.page("review.html", **review_page(visitor, kind, number))

    return router


def queue_page(visitor: Visitor, after: int = 0, chains_after: int = 0, servers_after: int = 0) -> dict[str, Any]:
    """Return what the page of the queue shows, each of its lists after a number."""
    hub = visitor.may(Action.HUB_READ)
    waiting_chains, servers = page_chains(hub, chains_after, _SHOWN), page_endpoints(hub, servers_after, _SHOWN)
    whose = {each.tsp_id for each in waiting_chains.items} | {each.tsp_id for each in servers.items}
    people, waiting = waiting_people(hub), page_requests(hub, after, _SHOWN)
    own = own_proposals(hub, people)
    return {
        "visitor": visitor,
        "place": "reviews",
        "requests": waiting,
        "proposed": {
            "requests": two_people.proposers(hub, Thing.REQUEST, [each.stored.id for each in waiting.items]),
            "chains": two_people.proposers(hub, Thing.CHAIN, [each.id for each in waiting_chains.items]),
            "endpoints": two_people.proposers(hub, Thing.ENDPOINT, [each.id for each in servers.items]),
        },
        "chains": waiting_chains,
        "servers": servers,
        "organizations": organizations(hub, whose),
        "people": people,
        "own": own,
        "seconds": two_people.seconds(hub, Thing.PERSON) if own else "",
        "may_decide_people": visitor.can(Action.PERSON_DECIDE),
        "may_approve": visitor.can(Action.REQUEST_DECIDE),
        "two_people": two_people.required(hub),
    }


def review_page(visitor: Visitor, kind: str, number: int) -> dict[str, Any]:
    """Return what the page of one review shows. Raises `NotFound`."""
    hub = visitor.may(Action.HUB_READ)
    page = {"requests": _request, "chains": _chain, "endpoints": _endpoint}[kind](hub, number)
    return page | {
        "visitor": visitor,
        "place": "reviews",
        "kind": kind,
        "number": number,
        "may_decide": visitor.can(DECIDE[kind]),
        "two_people": two_people.required(hub),
        **_proposed(hub, kind, number),
    }


def _proposed(hub: Hub, kind: str, number: int) -> dict[str, Any]:
    proposed = two_people.proposal_of(hub, _KIND[kind], number)
    mine = proposed is not None and two_people.is_own(hub, proposed)
    return {
        "proposed": proposed,
        "mine": mine,
        "seconds": two_people.seconds(hub, _KIND[kind]) if mine else "",
        # A chain can be proposed again, in another way.
        "settled": mine and kind != "chains",
        "pins": "\n".join(proposed.how.get("pins", ())) if proposed else "",
    }


def _request(hub: Hub, number: int) -> dict[str, Any]:
    stored, findings = requests.show_request(hub, number)
    whose, approved = _whose(hub, stored.tsp_id), _last_approved(hub, stored)
    organization = whose["found"].customer.organization if whose["found"] else ""
    lines = request_lines(stored.request, hub.terms, stored.tsp_id, organization, approved)
    return _reviewed(stored, findings, whose, lines=lines, earlier=approved, fingerprint=stored.request.fingerprint)


def _chain(hub: Hub, number: int) -> dict[str, Any]:
    stored, chain, findings = chains.review_chain(hub, number)
    public = any(each.id == chains.PUBLIC_ROOT for each in findings)
    endorsed = [each for each in chains.list_chains(hub, stored.tsp_id) if each.state is ChainState.ENDORSED]
    known = [chain_document(parse_anchors(each.pem.encode(), f"chain {each.id}")) for each in endorsed]
    tree, whose = chain_document(chain.certificates), _whose(hub, stored.tsp_id)
    return _reviewed(
        stored, findings, whose, tree=tree, known=known, public_root=public, fingerprint=stored.fingerprint
    )


def _endpoint(hub: Hub, number: int) -> dict[str, Any]:
    stored = endpoints.show_submitted_endpoint(hub, number)
    whose = _whose(hub, stored.tsp_id)
    lines = endpoint_lines(stored.endpoint, whose["endpoint"])
    return _reviewed(stored, endpoints.endpoint_findings(hub, stored), whose, lines=lines)


def _reviewed(stored: Any, findings: Any, whose: dict[str, Any], **more: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "lines": (),
        "earlier": None,
        "fingerprint": "",
        "tree": None,
        "known": (),
        "public_root": False,
    }
    shown = sorted(findings, key=lambda each: [*Level].index(each.level))
    return plain | {"reviewed": stored, "state": stored.state.value, "findings": shown} | whose | more


def _last_approved(hub: Hub, stored: StoredRequest) -> CertificationRequest | None:
    earlier = [each for each in requests.list_requests(hub, stored.tsp_id) if each.id < stored.id]
    return next((each.request for each in earlier[::-1] if each.state is RequestState.APPROVED), None)


def _whose(hub: Hub, tsp_id: str) -> dict[str, Any]:
    """Return what is registered of a customer; nothing of one that was removed."""
    try:
        found = show_customer(hub, tsp_id)
    except NotFound:
        return {"found": None, "endpoint": None, "granted": []}
    try:
        endpoint = endpoints.show_endpoint(hub, tsp_id)
    except NotFound:
        endpoint = None
    granted = [service.name for service, own in services_of(hub, tsp_id) if own]
    return {"found": found, "endpoint": endpoint, "granted": granted}
