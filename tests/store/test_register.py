"""The register is looked through in order, page by page, and each filter lets through what it says."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from bothways.connectivity.facts import ProbeFact
from bothways.operations import customers, endpoints, requests
from bothways.operations.certificates import certificate_seen
from bothways.operations.hub import Hub
from bothways.registry.customer import CustomerKind
from bothways.store import register
from bothways.store.register import Attention, Filter

A, B, C, D = "11", "12", "21", "22"


@pytest.fixture
def known(hub: Hub, make_csr: Callable[..., bytes]) -> Hub:
    """A waits for review, B's certificate was seen, C is suspended, and D's last probe failed."""
    for tsp_id, name in ((A, "First Bank"), (B, "Second Bank"), (C, "Shop 100%"), (D, "Market")):
        kind = CustomerKind.ISSUER if "Bank" in name else CustomerKind.MERCHANT
        customers.add_customer(hub, tsp_id, kind, name)
    csr = make_csr(CN=f"TLSMA-ECDSA/{A}/PPR")
    requests.submit_request(hub, A, csr)
    stored = requests.submit_request(hub, B, make_csr(CN=f"TLSMA-ECDSA/{B}/PPR", O="Second Bank"))
    certificate_seen(hub, requests.approve_request(hub, stored.id).fingerprint or "")
    customers.suspend_customer(hub, C, "tested")
    address = endpoints.set_endpoint(hub, D, "https://market.example").address
    for ok in (True, False):
        endpoints.record_probe(hub, D, ProbeFact(address, hub.now(), ok=ok, seen="seen"))
    return hub


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, (A, B, C, D)),
        ({"find": "1"}, (A, B, C)),
        ({"find": "bank"}, (A, B)),
        ({"find": "%"}, (C,)),
        ({"find": "_"}, ()),
        ({"kind": CustomerKind.MERCHANT}, (C, D)),
        ({"attention": Attention.WAITING}, (A,)),
        ({"attention": Attention.UNCONNECTED}, (A, C, D)),
        ({"attention": Attention.SUSPENDED}, (C,)),
        ({"suspended": True}, (C,)),
        ({"suspended": False}, (A, B, D)),
        ({"attention": Attention.UNPROVED}, (D,)),
        ({"attention": Attention.ENDING}, ()),
        ({"attention": Attention.ENDING, "days": 397}, (B,)),
    ],
)
def test_a_filter_lets_through_what_it_says(known: Hub, wanted: dict[str, object], found: tuple[str, ...]) -> None:
    until = known.now() + timedelta(days=int(str(wanted.pop("days", 30))))
    with known.read() as connection:
        assert register.page(connection, Filter(known.now(), until, **wanted), "", 9) == found  # type: ignore[arg-type]


def test_pages_follow_each_other(known: Hub) -> None:
    everybody = Filter(known.now(), known.now())
    with known.read() as connection:
        assert register.page(connection, everybody, "", 3) == (A, B, C)
        assert register.page(connection, everybody, C, 3) == (D,)
