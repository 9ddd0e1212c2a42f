"""What is there for a while: replaced clusters of customers, the ways of probes, pools told apart by certificate."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from hashlib import sha256
from typing import Any

from google.protobuf import any_pb2

from bothways.xds import names
from bothways.xds.by_name import differing
from bothways.xds.cluster import CONNECTION_AGE
from bothways.xds.pools import told_apart
from bothways.xds.resource import Deferred, Resource
from bothways.xds.servers import ProbeWay, probe_routes, probe_way
from bothways.xds.snapshot import Snapshot

REPLACED_SECONDS = 15.0
"""How long a replaced cluster stays after the nodes have confirmed the routes that lead to the new one.

A call that met the old route may wait for its cluster as long as `on_demand` lets it, and then needs it.
"""

REPLACED_SECONDS_MOST = 120.0
"""How long it stays if some node never confirms: that one keeps the cluster until it does (`stream.py`)."""

PROBED_SECONDS = 60.0
"""How long a probe's way stays: for the slowest calls of one probe, and not beside thousands of others."""

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
        self._ways: dict[str, ProbeWay] = {}

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
        self._ways = {}

    def probe(self, tsp_id: str, now: float) -> bool:
        """Add the customer's way for a probe, or keep it longer; tell whether there is such a customer."""
        if tsp_id in self._names:
            self._probed[tsp_id] = now + PROBED_SECONDS
        return tsp_id in self._names

    @property
    def probed(self) -> frozenset[str]:
        """The customers who have a way for a probe."""
        return frozenset(self._probed)

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
            self._ways.pop(tsp_id, None)
        together = self._apart_until is not None and self._apart_until <= now
        if together:
            self._apart_until = None
        return bool(replaced or probed or together)

    def snapshot(self) -> Snapshot:
        """Return the state's snapshot with all that is there for a while."""
        return self.with_all(self.base)

    def with_all(self, snapshot: Snapshot) -> Snapshot:
        """Return a snapshot, of the same customers, with all that is there for a while."""
        ways = [self._way(each) for each in sorted(self._probed) if each in self._names]
        replaced = (resource for resource, _ in self._replaced.values())
        more = {each.name: each for each in (*replaced, *(way.cluster for way in ways))}
        others: dict[str, Resource] = {}
        if self._apart_until is not None:
            others[names.EGRESS] = self._told_apart(snapshot.of(names.ROUTE_TYPE)[names.EGRESS])
        if ways:
            others[names.PROBE] = probe_routes(way.entry for way in ways)
        return _with(snapshot, more, others) if more or others else snapshot

    def _way(self, tsp_id: str) -> ProbeWay:
        """Return the way of a probe: with hundreds under way, those of the others are not made again for one more."""
        if tsp_id not in self._ways:
            cluster = self.base.on_demand_of(names.CLUSTER_TYPE)[self._names[tsp_id]]
            secret = self.base.on_demand_of(names.SECRET_TYPE)[names.client_certificate(tsp_id)]
            self._ways[tsp_id] = probe_way(cluster, secret)
        return self._ways[tsp_id]

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


def _told_apart(routes: Resource) -> Any:
    return any_pb2.Any(type_url=routes.packed.type_url, value=told_apart(routes.packed.value))


def _another_certificate(before: Snapshot, after: Snapshot) -> bool:
    """Tell whether a customer who is called before and after is shown another client certificate."""
    left, came = differing(before.on_demand_of(names.SECRET_TYPE), after.on_demand_of(names.SECRET_TYPE))
    return any(came[name].version != left[name].version for name in left.keys() & came.keys())


def _with(base: Snapshot, clusters: Mapping[str, Resource], routes: Mapping[str, Resource]) -> Snapshot:
    """Return a snapshot with more clusters, and with these in the place of its own routes of their names."""

    def changed(snapshot: Snapshot, to: Snapshot | None) -> Snapshot:
        # All remote nodes have the same of these types: what is large is there once.
        if to is not None:
            same = {each: to.unasked(each) for each in (names.CLUSTER_TYPE, names.ROUTE_TYPE)}
            return replace(snapshot, resources={**snapshot.resources, **same})
        own = snapshot.unasked(names.ROUTE_TYPE)
        made = {
            names.CLUSTER_TYPE: {**snapshot.unasked(names.CLUSTER_TYPE), **clusters},
            # Nodes that no probe reaches have no routes of probes.
            names.ROUTE_TYPE: {name: routes.get(name, each) for name, each in own.items()},
        }
        return replace(snapshot, resources={**snapshot.resources, **made})

    remote: dict[str, Snapshot] = {}
    for name, each in base.remote.items():
        remote[name] = changed(each, next(iter(remote.values()), None))
    return replace(changed(base, None), remote=remote)
