"""Addresses that no customer's server may have: the one list, for the data plane and for probes. No names, no DNS."""

import ipaddress
from functools import cache

LOOPBACK = ("127.0.0.0/8", "::1/128")
"""This machine; `danger_outbound_loopback` allows these and no others."""

SPECIAL = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/3",
    "::/128",
    "::ffff:0:0/96",
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "100::/64",
    "100:0:0:1::/64",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
)
"""Addresses off the public internet, or that reach another one in disguise (IANA special-purpose registries)."""

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def refused_ranges(*, loopback_allowed: bool) -> tuple[str, ...]:
    """Return the ranges, in CIDR notation, to which no connection to a customer may go."""
    return SPECIAL if loopback_allowed else (*LOOPBACK, *SPECIAL)


def refused_range(address: str, *, loopback_allowed: bool) -> str | None:
    """Return the range for which the address is refused, or None if a customer's server may have it.

    What is no address is refused with everything.
    """
    try:
        # A scope ("%eth0") says by which interface: nothing public needs one.
        found = ipaddress.ip_address(address)
    except ValueError:
        return "no address"
    for each in refused_ranges(loopback_allowed=loopback_allowed):
        if found in _network(each):
            return each
    return None


@cache
def _network(text: str) -> _Network:
    return ipaddress.ip_network(text)
