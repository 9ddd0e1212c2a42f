"""A node: one Envoy of the data plane that runs on another machine than the control plane."""

import ipaddress
import re
from dataclasses import dataclass
from datetime import datetime

from bothways.findings import Finding

_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)", re.ASCII)
_PORT_MOST = 65535


@dataclass(frozen=True, slots=True)
class Binding:
    """Where a node binds: its endpoint for customers, and its egress for the hub's services beside it."""

    inbound_address: str
    inbound_port: int
    egress_address: str
    egress_port: int


@dataclass(frozen=True, slots=True)
class Node:
    """A node on record. A withdrawn one is kept for the record alone: its name may be used again.

    `reached_at` is the HOST:PORT at which the control plane reaches its endpoint; None if it is where the node binds.
    """

    id: int
    name: str
    binding: Binding
    added_at: datetime
    withdrawn_at: datetime | None = None
    reached_at: str | None = None


def node_findings(name: str, binding: Binding, reserved: str) -> tuple[Finding, ...]:
    """Return what is wrong with the values of a node; `reserved` is the name of the Envoy beside the control plane."""
    findings = []
    # The name stands in a certificate, in metrics and in file names.
    if not _NAME.fullmatch(name):
        message = f"the name of the node is {name!r}; 1 to 63 small letters, digits and - are wanted"
        findings.append(Finding("NODE-NAME", message, "Give it a name like eu-1.", "RFC 1123"))
    elif name == reserved:
        message = f"{name} is the Envoy that the hub runs itself"
        findings.append(Finding("NODE-NAME", message, "Give the node another name.", "R5"))
    for flow, address, port in (
        ("inbound", binding.inbound_address, binding.inbound_port),
        ("egress", binding.egress_address, binding.egress_port),
    ):
        if not can_be_bound(address) or not 1 <= port <= _PORT_MOST:
            message = (
                f"{flow} is to bind {address!r} port {port}; an IP address and a port of 1 to {_PORT_MOST} are wanted"
            )
            findings.append(
                Finding("NODE-ADDRESS", message, "Name an address of the node's machine, like 0.0.0.0.", "R3")
            )
    return tuple(findings)


def can_be_bound(text: str) -> bool:
    """Tell whether Envoy can bind a listener to this: an address alone, for it looks no name up, and no scope."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text
