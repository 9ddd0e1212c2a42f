"""Which part of a change goes to one node first, and which to all at once. Decided on states, without I/O.

The law: what is of one customer (its certificates, its grants, its server) goes to all at once, given or taken, and so
does whatever takes something away from anybody: a service, a trust anchor, a revocation list, the open endpoint. What
is new and common to all customers goes to one node first: a service or the way to it, a trust anchor, the certificates
of the hub, traces, the endpoint that is opened again. What was refused there is kept from all until it is another.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from cryptography import x509

from bothways.xds.kept import digest_of
from bothways.xds.state import Anchors, CustomerServer, HubState, ServiceRoute

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n?", re.DOTALL)


def at_once(good: HubState, wanted: HubState) -> HubState:
    """Return what all nodes get at once of the way from `good` to `wanted`; `wanted` itself if that is everything."""
    known = {each.name: each for each in good.services}
    found = replace(
        wanted,
        services=tuple(_service(known[each.name], each) for each in wanted.services if each.name in known),
        trust=_trust(good.trust, wanted.trust),
        server=good.server,
        client=good.client,
        customers=wanted.customers if good.client == wanted.client else _customers(good, wanted),
        tracing=good.tracing,
        # What was shut stays so until the opening has passed; one that was shut and opened meanwhile is another one.
        shut=wanted.shut or (good.shut if good.closures == wanted.closures else ""),
    )
    return wanted if found == wanted else found


@dataclass(frozen=True, slots=True)
class HeldBack:
    """What one node was given first, and why nobody else is: `why` in Envoy's words, or the canary's.

    `digest` is that of what it has in common for all customers (`kept.py`). `again_at` is when it is tried again by
    itself, None if it is not.
    """

    version: str
    node: str
    why: str
    digest: str
    again_at: datetime | None = None

    def document(self) -> dict[str, str]:
        """Return it as the JSON object that the status shows."""
        return {"version": self.version, "node": self.node, "why": self.why}

    def __str__(self) -> str:
        return (
            f"version {self.version} is held back, and only what is of single customers, or takes something away, is "
            f"in force of it: node {self.node} was given it first, {self.why}. Mend what that names; if it "
            "was in no setting, have it tried again"
        )


class Staging:
    """How far a change has come. `good` is the last state that all nodes may have; `held` what is kept from all."""

    def __init__(self) -> None:
        self.good: HubState | None = None
        self.held: HeldBack | None = None

    def first_to_one(self, wanted: HubState, everyone: HubState, held: HeldBack | None = None) -> bool:
        """Take what is stored now, of which `everyone` is what all get at once; tell whether one node tries the rest.

        What was refused last, which is `held`, is not tried again while its common part is the same.
        """
        self.good = everyone
        self.held = held if everyone is not wanted and held and held.digest == digest_of(wanted) else None
        return everyone is not wanted and self.held is None

    def passed(self, wanted: HubState) -> None:
        """Take note that one node has confirmed it, and was seen to refuse strangers: all may have it."""
        self.good, self.held = wanted, None

    def refused(self, held: HeldBack) -> None:
        """Take note that it is kept from all."""
        self.held = held


def _service(before: ServiceRoute, wanted: ServiceRoute) -> ServiceRoute:
    as_before = replace(before, identities=wanted.identities)
    return wanted if as_before == wanted else as_before


def _customers(good: HubState, wanted: HubState) -> Sequence[CustomerServer]:
    """Return the servers as wanted; one that is to be shown the hub's new certificate is shown what it was before."""
    known = {each.tsp_id: each.client for each in good.customers if each.client}
    if not any(each.client is None and each.tsp_id in known for each in wanted.customers):
        # The same object: what was made of thousands of them holds.
        return wanted.customers
    return tuple(
        replace(each, client=known[each.tsp_id]) if each.client is None and each.tsp_id in known else each
        for each in wanted.customers
    )


def _trust(good: Anchors, wanted: Anchors) -> Anchors:
    """Return the anchors of both, with the lists that are wanted."""
    before, after = _CERTIFICATE.findall(good.pem), _CERTIFICATE.findall(wanted.pem)
    kept = [each for each in after if each in before]
    if not kept or len(kept) == len(after):
        return wanted
    names = {x509.load_pem_x509_certificate(each.encode()).subject for each in kept}
    lists = tuple(each for each in wanted.lists if x509.load_pem_x509_crl(each.encode()).issuer in names)
    return Anchors("".join(kept), lists)
