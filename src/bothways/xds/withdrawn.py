"""What is taken away goes ahead of the map: a short list of whom the endpoint refuses though the map still has them.

The law: a map less what is withdrawn beside it is exactly the state. Envoy reads a map of 10,000 in 50 ms, and the list
in less than one, so the map stands for a while, and its successor comes when nobody waits for it. What is given, what
changes a grant alone, and what shuts the endpoint never wait.

A node refuses whoever it was told to refuse until it has confirmed the map that goes with the shorter list, and is
given no map before it has confirmed the list that goes with that.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from operator import attrgetter

from envoy.config.core.v3 import extension_pb2

from bothways.xds import names
from bothways.xds.authorization import refused_by
from bothways.xds.identities import in_parts
from bothways.xds.resource import Resource
from bothways.xds.route import around_the_maps
from bothways.xds.snapshot import Snapshot, withdrawn_resource
from bothways.xds.state import HubState, Identity
from bothways.xds.subscription import Subscription

QUIET = 1.0
"""Seconds without another withdrawal after which the map follows."""

MOST = 500
"""Withdrawn certificates beside which a map stands; with more of them it follows at once."""


def ahead(standing: HubState | None, wanted: HubState) -> HubState:
    """Return `wanted` with the maps of the `standing` state, and withdrawn what these have too much.

    `wanted` itself if its own maps are to go out: where nothing is lost, or anything else is changed in them, and
    where nobody knows what stands. A state that goes ahead of its maps is no standing one.
    """
    if standing is None or wanted.shut or around_the_maps(standing) != around_the_maps(wanted):
        return wanted
    lost = _lost(standing.identities, wanted.identities)
    if not lost or len(lost) > MOST:
        return wanted
    for before, after in zip(standing.services, wanted.services, strict=True):
        gone = _lost(before.identities, after.identities)
        # A grant that was withdrawn from somebody who may still enter is nothing that the list can say.
        if gone is None or not gone <= lost:
            return wanted
    withdrawn = tuple(sorted(lost, key=attrgetter("uri_id")))
    return replace(wanted, identities=standing.identities, services=standing.services, withdrawn=withdrawn)


def for_node(snapshot: Snapshot, lists: Subscription, maps: Subscription, known: Resource | None) -> Snapshot:
    """Return the snapshot as one node is to have it now, with its own list or maps where it keeps them for now.

    `lists` and `maps` are what is known of it, and `known` the list that it was sent last on this stream, if any.
    """
    wanted, routes = snapshot.of(names.EXTENSION_TYPE).get(names.WITHDRAWN_FILTER), snapshot.of(names.ROUTE_TYPE)
    needed = [each for name, each in routes.items() if names.is_inbound_routes(name)]
    certain = maps.certain()
    if wanted is None or all(certain.get(each.name) == each.version for each in needed):
        return snapshot
    version = lists.sent.get(wanted.name)
    listed, keeps = wanted, False
    if version != wanted.version:
        if known is not None:
            listed = withdrawn_resource(_uri_ids(known) | _uri_ids(wanted))
        elif version is not None or not _starts(needed, maps):
            # It comes with a list that nobody here knows, or with maps alone: other maps have to go first.
            listed, keeps = replace(wanted, version=version or ""), True
    resources = {names.EXTENSION_TYPE: {**snapshot.of(names.EXTENSION_TYPE), wanted.name: listed}}
    # Whoever asks for a list and has none serves nobody: then it is all one which of them comes first.
    serves = version is not None or not lists.wants(wanted.name)
    if serves and _uri_ids(wanted) and (keeps or lists.certain().get(wanted.name) != listed.version):
        own = {each.name: replace(each, version=maps.sent.get(each.name, "")) for each in needed}
        resources[names.ROUTE_TYPE] = {**routes, **own}
    return replace(snapshot, resources={**snapshot.resources, **resources})


def _starts(needed: Iterable[Resource], maps: Subscription) -> bool:
    """Tell whether a node has asked for maps, and can have no others than those that it needs."""
    return all(maps.wants(each.name) and maps.possible(each.name) <= {each.version} for each in needed)


def _lost(before: Sequence[Identity], after: Sequence[Identity]) -> frozenset[Identity] | None:
    return in_parts(before).lost_in(in_parts(after))


def _uri_ids(resource: Resource) -> frozenset[str]:
    return _uri_ids_in(resource.packed.value)


@lru_cache(maxsize=8)
def _uri_ids_in(packed: bytes) -> frozenset[str]:
    """Return whom a list names: at each word of a node it is asked of two of them."""
    return refused_by(extension_pb2.TypedExtensionConfig.FromString(packed).typed_config.value)
