import pytest

from bothways.cli.addresses import dns_server, listening
from bothways.errors import Unusable
from bothways.xds.state import Address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("10.0.0.2", Address("10.0.0.2", 53)),
        ("10.0.0.2:5353", Address("10.0.0.2", 5353)),
        ("2001:db8::1", Address("2001:db8::1", 53)),
        ("[2001:db8::1]:5353", Address("2001:db8::1", 5353)),
    ],
)
def test_a_dns_server_has_an_address_and_perhaps_a_port(text: str, address: Address) -> None:
    assert dns_server(text) == address


@pytest.mark.parametrize("text", ["dns.example", "10.0.0.2:0", "10.0.0.2:99999", "10.0.0.2:x", "", "dns.example:53"])
def test_what_is_none_is_said(text: str) -> None:
    with pytest.raises(Unusable):
        dns_server(text)


def test_where_to_listen() -> None:
    assert listening("::", 8443) == Address("::", 8443)
    with pytest.raises(Unusable, match="0 is no port"):
        listening("::", 0)
