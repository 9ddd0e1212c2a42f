"""A first look at where a customer's host leads, when it is named. Envoy looks again, at each connection."""

import socket

from bothways.findings import Finding, Level
from bothways.registry.addresses import refused_range


def address_findings(host: str) -> tuple[Finding, ...]:
    """Return a warning if the host has addresses, and Envoy would connect to none of them.

    A name that is not found is no finding: it may come later, and the probe tells.
    """
    try:
        found = {str(each[4][0]).partition("%")[0] for each in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        return ()
    if not found or not all(refused_range(each, loopback_allowed=False) for each in found):
        return ()
    message = f"the host {host} leads to {', '.join(sorted(found))} alone, and no call goes to such an address"
    hint = "Give it a public address in the public DNS; the hub may be asking a DNS server of the inside."
    return (Finding("ENDPOINT-09", message, hint, "R11; RFC 6890", host, Level.WARNING),)
