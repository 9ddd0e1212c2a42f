"""The queue of reviews, and one review: what is asked, what is registered and what the rules say, side by side."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import Response

from bothways.errors import NotFound
from bothways.findings import Level
from bothways.operations import chains, endpoints, requests, two_people
from bothways.operations.customers import show_customer
from bothways.operations.hub import Hub
from bothways.operations.review_queue import page_reviews
from bothways.operations.services import services_of
from bothways.pki.keys import described
from bothways.pki.tree import chain_document
from bothways.registry.access import Action
from bothways.store.proposals import Kind as Thing
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
Kind = Annotated[str, Path(pattern="^(requests|chains|endpoints)$")]


def reviews_router(gate: Gate, view: View) -> APIRouter:
    """Return the routes."""
    router = APIRouter(include_in_schema=False)
    who = Annotated[Visitor, Depends(gate.visitor)]

    @router.get("/reviews")
    def _queue(visitor: who, done: Done = "", after: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0) -> Response:
        hub = visitor.may(Action.HUB_READ)
        queue = page_reviews(hub, after, _SHOWN)
        return view.page(
            "reviews.html",
            visitor=visitor,
            place="reviews",
            done=done,
            requests=queue.requests,
            waiting_requests=queue.waiting,
            next=queue.next,
            chains=chains.waiting_chains(hub),
            endpoints=endpoints.waiting_endpoints(hub),
            may_approve=visitor.can(Action.REQUEST_DECIDE),
            two_people=two_people.required(hub),
        )

    @router.get("/reviews/{kind}/{number}")
    def _review(visitor: who, kind: Kind, number: Number) -> Response:
        return view.page("review.html", **review_page(visitor, kind, number))

    return router


def review_page(visitor: Visitor, kind: str, number: int) -> dict[str, Any]:
    """Return what the page of one review shows. Raises `NotFound`."""
    hub = visitor.may(Action.HUB_READ)
    page = {"requests": _request, "chains": _chain, "endpoints": _endpoint}[kind](hub, number)
    return page | {
        "visitor": visitor,
        "place": "reviews",
        "kind": kind,
        "number": number,
        "registered": _registered(hub, page["reviewed"].tsp_id),
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
    asked = [
        *((each.rfc4514_attribute_name, str(each.value)) for each in stored.request.subject),
        ("Key", described(stored.request.public_key)),
        ("Submitted", f"{stored.submitted_at:%Y-%m-%d %H:%M} UTC"),
    ]
    return _reviewed(stored, asked, findings, fingerprint=stored.request.fingerprint)


def _chain(hub: Hub, number: int) -> dict[str, Any]:
    stored, chain, findings = chains.review_chain(hub, number)
    asked = [("Certificates", str(len(chain.certificates))), ("Ends first", f"{stored.not_after:%Y-%m-%d}")]
    public = any(each.id == chains.PUBLIC_ROOT for each in findings)
    tree = chain_document(chain.certificates)
    return _reviewed(stored, asked, findings, fingerprint=stored.fingerprint, tree=tree, public_root=public)


def _endpoint(hub: Hub, number: int) -> dict[str, Any]:
    stored = endpoints.show_submitted_endpoint(hub, number)
    asked = [("Base URL", stored.endpoint.url), ("Host", stored.endpoint.host), ("Port", str(stored.endpoint.port))]
    return _reviewed(stored, asked, endpoints.endpoint_findings(hub, stored))


def _reviewed(stored: Any, asked: list[tuple[str, str]], findings: Any, **more: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "fingerprint": "",
        "tree": None,
        "public_root": False,
    }
    shown = sorted(findings, key=lambda each: [*Level].index(each.level))
    return plain | {"reviewed": stored, "state": stored.state.value, "asked": asked, "findings": shown} | more


def _registered(hub: Hub, tsp_id: str) -> list[tuple[str, str]]:
    try:
        found = show_customer(hub, tsp_id)
    except NotFound:
        return [("Customer", f"{tsp_id} was removed")]
    try:
        endpoint = endpoints.show_endpoint(hub, tsp_id).url
    except NotFound:
        endpoint = "none yet"
    granted = ", ".join(service.name for service, own in services_of(hub, tsp_id) if own) or "none"
    return [
        ("Organization", found.customer.organization),
        ("tspId", tsp_id),
        ("Kind", found.customer.kind.value),
        ("Customer since", f"{found.customer.created_at:%Y-%m-%d}"),
        ("Server", endpoint),
        ("Inbound", f"{found.assessment.inbound.state.value}: {found.assessment.inbound.reason}"),
        ("Outbound", f"{found.assessment.outbound.state.value}: {found.assessment.outbound.reason}"),
        ("Services", granted),
    ]
