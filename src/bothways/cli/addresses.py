"""Addresses as people give them on the command line: where to listen, where others are reached, and DNS servers."""

import contextlib
import ipaddress

from bothways.errors import Unusable
from bothways.xds.state import Address

_DNS = 53
_PORTS = 1 << 16


def listening(host: str, port: int) -> Address:
    """Return an address to listen at. Raises `Unusable` if `host` is no IP address, or `port` none."""
    try:
        ipaddress.ip_address(host)
    except ValueError as error:
        raise Unusable(f"{host!r} is no IP address to listen at. Give one, like 0.0.0.0 or ::") from error
    if not 0 < port < _PORTS:
        raise Unusable(f"{port} is no port. Name one from 1 to 65535")
    return Address(host, port)


def dns_server(text: str) -> Address:
    """Return the DNS server that `IP` or `IP:PORT` names. Raises `Unusable`."""
    with contextlib.suppress(ValueError):
        ipaddress.ip_address(text)
        return Address(text, _DNS)
    host, colon, port = text.rpartition(":")
    if colon and port.isascii() and port.isdecimal():
        return listening(host.strip("[]"), int(port))
    raise Unusable(f"{text!r} is no DNS server. Give an IP address, or one with a port, like 10.0.0.2:53")


def reached(text: str) -> Address:
    """Return where `HOST:PORT` is reached, HOST being a name or an IP address. Raises `Unusable`."""
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or any(each.isspace() for each in host) or not port.isascii() or not port.isdecimal():
        raise Unusable(f"{text!r} is no HOST:PORT. Say it like control-plane.hub.example:18000, or [::1]:18000.")
    if not 0 < int(port) < _PORTS:
        raise Unusable(f"{text!r} has no port of 1 to {_PORTS - 1}. Name the port that nodes reach.")
    return Address(host, int(port))
