"""What is there for a while: replaced clusters of customers, those of probes, pools told apart by certificate."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from hashlib import sha256
from typing import Any

from envoy.config.cluster.v3 import cluster_pb2
from google.protobuf import any_pb2

from bothways.xds import names
from bothways.xds.by_name import differing
from bothways.xds.cluster import CONNECTION_AGE, as_probed
from bothways.xds.pools import told_apart
from bothways.xds.resource import Deferred, Resource, resource_of
from bothways.xds.snapshot import Snapshot

REPLACED_SECONDS = 15.0
"""How long a replaced cluster stays after the nodes have confirmed the routes that lead to the new one.

A call that met the old route may wait for its cluster as long as `on_demand` lets it, and then needs it.
"""

REPLACED_SECONDS_MOST = 120.0
"""How long it stays if some node never confirms: that one keeps the cluster until it does (`stream.py`)."""

PROBED_SECONDS = 60.0
"""How long a probe's cluster stays: for the slowest calls of one probe, and not beside thousands of others."""

APART_SECONDS = 2 * CONNECTION_AGE
"""How long pools of connections are told apart after any customer's client certificate changed.

By then no connection from before takes a call, at any node that has had the change within the first half.
"""


class Passing:
    """What is added to the snapshot of a state for a while. Instants are in seconds of one clock, which never turns.

    What it adds changes no version: it is not of the state. At `now` nobody knows what nodes have shown before.
    """

    def __init__(self, base: Snapshot, now: float) -> None:
        self.base = base
        self._apart_until: float | None = now + APART_SECONDS
        self._names = {_tsp_id(name): name for name in base.on_demand_of(names.CLUSTER_TYPE)}
        self._apart: tuple[Resource, Resource] | None = None
        # Until when, by name; what the nodes have not confirmed the successor of yet stays the longest.
        self._replaced: dict[str, tuple[Resource, float]] = {}
        self._unconfirmed: set[str] = set()
        self._probed: dict[str, float] = {}

    def follow(self, base: Snapshot, now: float) -> None:
        """Take the snapshot of the next state, and keep what it replaces, but nothing of whoever is called no more."""
        before, self.base = self.base, base
        if before.on_demand is base.on_demand:
            return
        if _another_certificate(before, base):
            self._apart_until = now + APART_SECONDS
        clusters = before.on_demand_of(names.CLUSTER_TYPE)
        left, came = differing(clusters, base.on_demand_of(names.CLUSTER_TYPE))
        # What has changed has another name.
        gone = {_tsp_id(name): name for name in left.keys() - came.keys()}
        new = {_tsp_id(name): name for name in came.keys() - left.keys()}
        for tsp_id in gone.keys() - new.keys():
            del self._names[tsp_id]
        self._names |= new
        for tsp_id in gone.keys() & new.keys():
            old = gone[tsp_id]
            self._replaced[old] = (clusters[old], now + REPLACED_SECONDS_MOST)
            self._unconfirmed.add(old)
        for name in [each for each in self._replaced if self._is_needless(each)]:
            self._end(name)

    def probe(self, tsp_id: str, now: float) -> bool:
        """Add the customer's cluster for a probe, or keep it longer; tell whether there is such a customer."""
        if tsp_id in self._names:
            self._probed[tsp_id] = now + PROBED_SECONDS
        return tsp_id in self._names

    @property
    def waits(self) -> bool:
        """Tell whether it matters that the nodes confirm what they were sent."""
        return bool(self._unconfirmed)

    def confirmed(self, now: float) -> None:
        """Take note that all nodes have confirmed what they were sent last."""
        for name in self._unconfirmed:
            resource, until = self._replaced[name]
            self._replaced[name] = (resource, min(until, now + REPLACED_SECONDS))
        self._unconfirmed.clear()

    def end(self, now: float) -> bool:
        """Take away what has been there long enough, and tell whether that is anything."""
        replaced = [name for name, (_, until) in self._replaced.items() if until <= now]
        probed = [tsp_id for tsp_id, until in self._probed.items() if until <= now]
        for name in replaced:
            self._end(name)
        for tsp_id in probed:
            del self._probed[tsp_id]
        together = self._apart_until is not None and self._apart_until <= now
        if together:
            self._apart_until = None
        return bool(replaced or probed or together)

    def snapshot(self) -> Snapshot:
        """Return the state's snapshot with all that is there for a while."""
        return self.with_all(self.base)

    def with_all(self, snapshot: Snapshot) -> Snapshot:
        """Return a snapshot, of the same customers, with all that is there for a while."""
        clusters = self.base.of(names.CLUSTER_TYPE)
        probed = (_probed(clusters[self._names[each]]) for each in self._probed if each in self._names)
        more = {each.name: each for each in (*(resource for resource, _ in self._replaced.values()), *probed)}
        added = {names.CLUSTER_TYPE: more} if more else {}
        if self._apart_until is not None:
            added[names.ROUTE_TYPE] = {names.EGRESS: self._told_apart(snapshot.of(names.ROUTE_TYPE)[names.EGRESS])}
        return _with(snapshot, added) if added else snapshot

    def _told_apart(self, routes: Resource) -> Resource:
        """Return the routes with their pools told apart: those of thousands of customers are copied once."""
        if self._apart is None or self._apart[0] is not routes:
            version = sha256(told_apart(routes.version.encode())).hexdigest()[:16]
            self._apart = (routes, Deferred(routes.name, version, partial(_told_apart, routes)))
        return self._apart[1]

    def _is_needless(self, name: str) -> bool:
        """Tell whether a replaced cluster is the current one again, or its customer is called no more."""
        found = names.customer_of(name)
        return found is None or self._names.get(found[0], name) == name

    def _end(self, name: str) -> None:
        del self._replaced[name]
        self._unconfirmed.discard(name)


def _tsp_id(cluster: str) -> str:
    found = names.customer_of(cluster)
    if found is None:
        raise ValueError(f"{cluster} is no cluster of a customer")
    return found[0]


def _probed(resource: Resource) -> Resource:
    return resource_of(as_probed(cluster_pb2.Cluster.FromString(resource.packed.value)))


def _told_apart(routes: Resource) -> Any:
    return any_pb2.Any(type_url=routes.packed.type_url, value=told_apart(routes.packed.value))


def _another_certificate(before: Snapshot, after: Snapshot) -> bool:
    """Tell whether a customer who is called before and after is shown another client certificate."""
    left, came = differing(before.on_demand_of(names.SECRET_TYPE), after.on_demand_of(names.SECRET_TYPE))
    return any(came[name].version != left[name].version for name in left.keys() & came.keys())


def _with(base: Snapshot, more: Mapping[str, Mapping[str, Resource]]) -> Snapshot:
    def added(snapshot: Snapshot, to: Snapshot | None) -> Snapshot:
        # All remote nodes have the same of these types: what is large is there once.
        made = {
            each: to.unasked(each) if to else {**snapshot.unasked(each), **of_type} for each, of_type in more.items()
        }
        return replace(snapshot, resources={**snapshot.resources, **made})

    remote: dict[str, Snapshot] = {}
    for name, each in base.remote.items():
        remote[name] = added(each, next(iter(remote.values()), None))
    return replace(added(base, None), remote=remote)
