"""The queue shows what waits, oldest first, and how many rules each breaks now."""

from collections.abc import Callable
from typing import Any

from bothways.operations.chains import submit_chain
from bothways.operations.customers import add_customer, remove_customer
from bothways.operations.endpoints import submit_endpoint
from bothways.operations.hub import Hub
from bothways.operations.keys import ban_keys
from bothways.operations.requests import approve_request, submit_request
from bothways.operations.review_queue import organizations, page_chains, page_endpoints, page_requests
from bothways.pki.chain import certificate_pem
from bothways.registry.customer import CustomerKind


def test_pages_are_in_order_and_count_what_is_broken(hub: Hub, issuer: str, make_csr: Callable[..., bytes]) -> None:
    stored = [submit_request(hub, issuer, make_csr()) for _ in range(3)]
    approve_request(hub, submit_request(hub, issuer, make_csr()).id)
    ban_keys(hub, [stored[1].request.spki_pin], "found in a repository")
    queue = page_requests(hub, limit=2)
    assert [(each.stored.id, each.errors) for each in queue.items] == [(stored[0].id, 0), (stored[1].id, 1)]
    assert (queue.waiting, queue.next) == (3, stored[1].id)
    queue = page_requests(hub, after=stored[1].id, limit=2)
    assert ([each.stored.id for each in queue.items], queue.next) == ([stored[2].id], None)


def test_requests_of_a_removed_customer_wait_for_nobody(hub: Hub, issuer: str, make_csr: Callable[..., bytes]) -> None:
    submit_request(hub, issuer, make_csr())
    remove_customer(hub, issuer, "tested")
    assert page_requests(hub).items == ()


def test_chains_and_servers_come_in_pages_too(hub: Hub, make_ca: Callable[..., Any]) -> None:
    for number in range(3):
        add_customer(hub, str(number), CustomerKind.ISSUER, f"Bank {number}")
        submit_chain(hub, str(number), certificate_pem(make_ca(f"Root {number}")[1]).encode())
        submit_endpoint(hub, str(number), f"https://{number}.bank.example")
    for page in (page_chains, page_endpoints):
        first = page(hub, limit=2)
        assert ([each.id for each in first.items], first.waiting, first.next) == ([1, 2], 3, 2)
        last = page(hub, after=2, limit=2)
        assert ([each.id for each in last.items], last.waiting, last.next) == ([3], 3, None)


def test_customers_have_their_names_and_removed_ones_none(hub: Hub, issuer: str) -> None:
    assert organizations(hub, [issuer, issuer, "999"]) == {issuer: "First Bank"}
    remove_customer(hub, issuer, "tested")
    assert organizations(hub, [issuer]) == {}
