"""The queue shows what waits, oldest first, and how many rules each breaks now."""

from collections.abc import Callable

from bothways.operations.customers import remove_customer
from bothways.operations.hub import Hub
from bothways.operations.keys import ban_keys
from bothways.operations.requests import approve_request, submit_request
from bothways.operations.review_queue import organizations, page_reviews


def test_pages_are_in_order_and_count_what_is_broken(hub: Hub, issuer: str, make_csr: Callable[..., bytes]) -> None:
    stored = [submit_request(hub, issuer, make_csr()) for _ in range(3)]
    approve_request(hub, submit_request(hub, issuer, make_csr()).id)
    ban_keys(hub, [stored[1].request.spki_pin], "found in a repository")
    queue = page_reviews(hub, limit=2)
    assert [(each.stored.id, each.errors) for each in queue.requests] == [(stored[0].id, 0), (stored[1].id, 1)]
    assert (queue.waiting, queue.next) == (3, stored[1].id)
    queue = page_reviews(hub, after=stored[1].id, limit=2)
    assert ([each.stored.id for each in queue.requests], queue.next) == ([stored[2].id], None)


def test_requests_of_a_removed_customer_wait_for_nobody(hub: Hub, issuer: str, make_csr: Callable[..., bytes]) -> None:
    submit_request(hub, issuer, make_csr())
    remove_customer(hub, issuer, "tested")
    assert page_reviews(hub).requests == ()


def test_customers_have_their_names_and_removed_ones_none(hub: Hub, issuer: str) -> None:
    assert organizations(hub, [issuer, issuer, "999"]) == {issuer: "First Bank"}
    remove_customer(hub, issuer, "tested")
    assert organizations(hub, [issuer]) == {}
