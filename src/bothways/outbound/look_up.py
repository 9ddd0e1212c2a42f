"""A first look at where a customer's host leads, when it is named. Envoy looks again, at each connection."""

import socket
from typing import Any

from bothways.findings import Finding, Level
from bothways.operations.hub import Hub
from bothways.registry.addresses import refused_range
from bothways.registry.endpoint import Endpoint
from bothways.store.submitted_endpoints import SubmittedEndpoint


def endpoint_seen(hub: Hub, tsp_id: str, named: Endpoint | SubmittedEndpoint) -> dict[str, Any]:
    """Return what was set or submitted as the JSON object that API and command line show.

    `findings` is what a look at the host's addresses finds; where calls go to loopback on purpose, nothing.
    """
    if isinstance(named, Endpoint):
        host, document = named.host, named.document(tsp_id) | {"state": "approved"}
    else:
        host, document = named.endpoint.host, named.document()
    found = () if hub.settings.danger_outbound_loopback else address_findings(host)
    return document | {"findings": [each.document() for each in found]}


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
