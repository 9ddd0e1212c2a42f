"""A request is compared with register, contract and the one before; a server with the one in use."""

from collections.abc import Callable

from bothways.operations.hub import Hub
from bothways.pki.request import parse_request
from bothways.registry.endpoint import Endpoint
from bothways.web.pages.comparing import Line, endpoint_lines, request_lines


def test_each_attribute_has_what_it_is_compared_with(hub: Hub, make_csr: Callable[..., bytes]) -> None:
    first = parse_request(make_csr(), "first")
    asked = parse_request(make_csr(OU="Cards", CN="TLSMA-ECDSA/12345678/PRD"), "asked")
    lines = {each.name: each for each in request_lines(asked, hub.terms, "12345678", "First Bank", first)}
    assert lines["O"].same is True
    assert lines["OU"] == Line("OU", "Cards", "Payments", same=False)
    assert lines["CN"] == Line("CN", "TLSMA-ECDSA/12345678/PRD", "TLSMA-ECDSA/12345678/PPR", same=False)
    assert lines["key"].same is True
    alone = {each.name: each.same for each in request_lines(asked, hub.terms, "12345678", "Other Bank", None)}
    assert (alone["O"], alone["OU"], alone["CN"]) == (False, None, False)


def test_a_server_is_compared_with_the_one_in_use() -> None:
    known = Endpoint("callbacks.bank.example", 443, "/hub")
    asked = Endpoint("callbacks.bank.example", 8443, "/hub")
    assert [each.same for each in endpoint_lines(asked, known)] == [False, True, False]
    assert [each.same for each in endpoint_lines(asked, None)] == [None, None, None]
