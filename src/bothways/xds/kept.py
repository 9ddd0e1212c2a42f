"""What all nodes may have in common, in a form that can be kept: so that it is known after a restart, and elsewhere.

Traces are not in it: they are a setting of one machine, and another one may have other ones. Nor are private keys:
certificates are in it by their fingerprints, for the keys are kept already.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from hashlib import sha256
from typing import Any

from bothways.xds.state import Anchors, HubState, KeyPair, ServiceRoute

Common = dict[str, Any]
"""A document for JSON: services without who may reach them, trust anchors, fingerprints, whether and why it is shut."""


def in_common(state: HubState) -> Common:
    """Return what a state has in common for all customers."""
    # As it is read back: lists, and no tuples.
    services = json.loads(json.dumps([asdict(replace(each, identities=())) for each in state.services]))
    return {
        "services": services,
        "trust": state.trust.pem,
        "server": state.server.fingerprint,
        "client": state.client.fingerprint,
        "shut": state.shut,
        "closures": state.closures,
    }


def digest_of(state: HubState) -> str:
    """Return the SHA-256 by which what a state has in common is known again."""
    return known_as(in_common(state))


def known_as(kept: Common) -> str:
    """Return the SHA-256 by which it is known again: whether the endpoint is shut is in it, and not why."""
    told = kept | {"shut": bool(kept["shut"]), "closures": 0}
    return sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def restored(kept: Common, wanted: HubState, pairs: Mapping[str, KeyPair]) -> HubState:
    """Return the state that all nodes may have: what was kept, and all else as it is wanted, without customers.

    `pairs` are the key pairs by their fingerprints; one that is not among them is as it is wanted.
    """
    return replace(
        wanted,
        services=tuple(_service(each) for each in kept["services"]),
        trust=wanted.trust if kept["trust"] == wanted.trust.pem else Anchors(kept["trust"]),
        server=pairs.get(kept["server"], wanted.server),
        client=pairs.get(kept["client"], wanted.client),
        shut=kept["shut"],
        closures=kept["closures"],
        identities=(),
        customers=(),
    )


def _service(kept: Mapping[str, Any]) -> ServiceRoute:
    # What another release knew of services, and this one does not, is nothing that it could give to a node.
    known = {each.name for each in fields(ServiceRoute)}
    values = {name: value for name, value in kept.items() if name in known}
    anchors = kept["anchors"]
    return ServiceRoute(
        **values | {"identities": (), "anchors": anchors and Anchors(anchors["pem"], tuple(anchors["lists"]))}
    )
