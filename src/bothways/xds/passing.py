"""Customers' clusters that are there for a while: replaced ones, until no call can need them, and those of probes."""

from dataclasses import replace
from typing import Any

from envoy.config.cluster.v3 import cluster_pb2

from bothways.xds import names
from bothways.xds.cluster import as_probed
from bothways.xds.snapshot import Resource, Snapshot, resource_of

REPLACED_SECONDS = 15.0
"""How long a replaced cluster stays after the nodes have confirmed the routes that lead to the new one.

A call that met the old route may wait for its cluster as long as `on_demand` lets it, and then needs it.
"""

REPLACED_SECONDS_MOST = 120.0
"""How long it stays if some node never confirms: that one keeps the cluster until it does (`stream.py`)."""

PROBED_SECONDS = 60.0
"""How long a probe's cluster stays: for the slowest calls of one probe, and not beside thousands of others."""


class Passing:
    """What is added to the snapshot of a state for a while. Instants are in seconds of one clock, which never turns.

    What it adds changes no version: it is not of the state.
    """

    def __init__(self, base: Snapshot) -> None:
        self.base = base
        self._names = _by_customer(base)
        # Until when, by name; what the nodes have not confirmed the successor of yet stays the longest.
        self._replaced: dict[str, tuple[Resource, float]] = {}
        self._unconfirmed: set[str] = set()
        self._probed: dict[str, float] = {}

    def follow(self, base: Snapshot, now: float) -> None:
        """Take the snapshot of the next state, and keep what it replaces, but nothing of whoever is called no more."""
        before, clusters = self._names, self.base.of(names.CLUSTER_TYPE)
        self.base, self._names = base, _by_customer(base)
        for tsp_id, name in self._names.items():
            if (old := before.get(tsp_id, name)) != name:
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
        return bool(replaced or probed)

    def snapshot(self) -> Snapshot:
        """Return the state's snapshot with all that is there for a while."""
        clusters = self.base.of(names.CLUSTER_TYPE)
        probed = (_probed(clusters[self._names[each]]) for each in self._probed if each in self._names)
        more = {each.name: each for each in (*(resource for resource, _ in self._replaced.values()), *probed)}
        return _with(self.base, more) if more else self.base

    def _is_needless(self, name: str) -> bool:
        """Tell whether a replaced cluster is the current one again, or its customer is called no more."""
        found = names.customer_of(name)
        return found is None or self._names.get(found[0], name) == name

    def _end(self, name: str) -> None:
        del self._replaced[name]
        self._unconfirmed.discard(name)


def _by_customer(snapshot: Snapshot) -> dict[str, str]:
    found = ((names.customer_of(name), name) for name in snapshot.of(names.CLUSTER_TYPE))
    return {each[0]: name for each, name in found if each}


def _probed(resource: Resource) -> Resource:
    return resource_of(as_probed(cluster_pb2.Cluster.FromString(resource.packed.value)))


def _with(base: Snapshot, more: dict[str, Resource]) -> Snapshot:
    def added(snapshot: Snapshot, clusters: dict[str, Resource]) -> Snapshot:
        return replace(snapshot, resources={**snapshot.resources, names.CLUSTER_TYPE: clusters})

    remote: dict[str, Snapshot] = {}
    shared: dict[str, Any] = {}
    for name, each in base.remote.items():
        # All of them have the same clusters: what is large is there once.
        shared = shared or {**each.of(names.CLUSTER_TYPE), **more}
        remote[name] = added(each, shared)
    return replace(added(base, {**base.of(names.CLUSTER_TYPE), **more}), remote=remote)
