"""What waits for review, page by page, each request with how many rules it breaks now."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from bothways.findings import Level
from bothways.operations.hub import Hub
from bothways.operations.requests import judge_all
from bothways.registry.customer import Customer
from bothways.store import chains, customers, requests, submitted_endpoints
from bothways.store.chains import ChainState, StoredChain
from bothways.store.requests import RequestState, StoredRequest
from bothways.store.submitted_endpoints import SubmittedEndpoint

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class WaitingRequest:
    """A request under review at a glance: whose it is, and how many rules refuse it or want a look."""

    stored: StoredRequest
    customer: Customer
    errors: int
    warnings: int


@dataclass(frozen=True, slots=True)
class Queue(Generic[_Item]):
    """A page of what waits; `waiting` counts all of it, and `next` is where the next page begins, if any."""

    items: tuple[_Item, ...]
    waiting: int
    next: int | None


def page_requests(hub: Hub, after: int = 0, limit: int = 25) -> Queue[WaitingRequest]:
    """Return at most `limit` requests under review after a number, oldest first."""
    with hub.read() as connection:
        found = requests.every(connection, None, RequestState.SUBMITTED, after, limit + 1)
        shown, more = found[:limit], len(found) > limit
        known = customers.many(connection, {each.tsp_id for each in shown})
        # The requests of a customer that was removed lead to nothing, and nobody has to decide them.
        shown = tuple(each for each in shown if each.tsp_id in known)
        judged = judge_all(hub, connection, shown)
        waiting = requests.count_in(connection, RequestState.SUBMITTED)
    lines = tuple(
        WaitingRequest(
            each,
            known[each.tsp_id],
            sum(finding.level is Level.ERROR for finding in findings),
            sum(finding.level is Level.WARNING for finding in findings),
        )
        for each, findings in zip(shown, judged, strict=True)
    )
    return Queue(lines, waiting, found[limit - 1].id if more else None)


def page_chains(hub: Hub, after: int = 0, limit: int = 25) -> Queue[StoredChain]:
    """Return at most `limit` chains under review after a number, oldest first."""
    with hub.read() as connection:
        found = chains.every(connection, None, ChainState.SUBMITTED, after, limit + 1)
        waiting = chains.count_in(connection, ChainState.SUBMITTED)
    return Queue(found[:limit], waiting, found[limit - 1].id if len(found) > limit else None)


def page_endpoints(hub: Hub, after: int = 0, limit: int = 25) -> Queue[SubmittedEndpoint]:
    """Return at most `limit` servers under review after a number, oldest first."""
    with hub.read() as connection:
        found = submitted_endpoints.waiting(connection, None, after, limit + 1)
        waiting = submitted_endpoints.count_waiting(connection)
    return Queue(found[:limit], waiting, found[limit - 1].id if len(found) > limit else None)


def organizations(hub: Hub, tsp_ids: Iterable[str]) -> dict[str, str]:
    """Return the names of customers by their tspId; one that was removed is not in it."""
    with hub.read() as connection:
        return {tsp_id: each.organization for tsp_id, each in customers.many(connection, {*tsp_ids}).items()}
