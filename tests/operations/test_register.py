"""A line of the register says how both flows are, and what ends first."""

from collections.abc import Callable

from bothways.operations.certificates import certificate_seen
from bothways.operations.customers import show_customer
from bothways.operations.hub import Hub
from bothways.operations.register import page_register
from bothways.operations.requests import approve_request, submit_request
from bothways.store.register import Attention


def test_a_line_has_the_state_of_both_flows_and_the_first_end(
    hub: Hub, issuer: str, make_csr: Callable[..., bytes]
) -> None:
    [line] = page_register(hub)
    assert (line.customer.tsp_id, line.ends_at) == (issuer, None)
    record = approve_request(hub, submit_request(hub, issuer, make_csr()).id)
    certificate_seen(hub, record.fingerprint or "")
    [line] = page_register(hub)
    assert line.assessment == show_customer(hub, issuer).assessment
    assert line.ends_at == record.not_after


def test_nobody_fits_is_an_empty_page(hub: Hub, issuer: str) -> None:
    assert page_register(hub, attention=Attention.SUSPENDED) == page_register(hub, after=issuer) == ()
