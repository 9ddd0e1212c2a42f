"""The two flows, seen from the hub by who opens the connection."""

from enum import StrEnum


class Flow(StrEnum):
    """`inbound`: the customer's host calls the hub. `outbound`: the hub calls the customer's host."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"
