"""The servers of all customers, in parts: what serves one customer alone is made once, and again where it changes.

Beside its entries in the routes, each customer has a cluster and a secret, which a node is given when it asks for them
by name. To make all those of 10,000 customers takes a second, and each change of anything is a new snapshot with all.
A cluster has 10 kB, and few of thousands are ever asked for, so that they are packed when they are.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from hashlib import sha256
from operator import attrgetter
from typing import Any, cast

from bothways.xds import names
from bothways.xds.by_name import ByName
from bothways.xds.cluster import as_probed, customer_cluster, customer_digest
from bothways.xds.parts import InParts, Part, place
from bothways.xds.resource import Deferred, Resource, made_with, packed_resource, resource_of
from bothways.xds.route import customer_entries, customer_routes
from bothways.xds.state import Anchors, CustomerServer, HubState, KeyPair
from bothways.xds.tls import key_pair_secret
from bothways.xds.typed import any_of

_KEPT = 2
"""States of which what was made is kept: of what is wanted, and of what all nodes have while one tries that."""


_PAIRS = 4
"""Client certificates of which it is remembered what a secret with them is: nearly all customers share one.

Few, so that no private key stays in memory that is used no more.
"""

_PINS: tuple[tuple[str, ...], ...] = ((), ("00",))


@dataclass(frozen=True, slots=True)
class _Sample:
    """In the place of anchors, of which a cluster has the text alone."""

    pem: str = "sample"


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the resources of all customers are made of, besides their servers."""

    client: KeyPair
    danger_outbound_loopback: bool


@dataclass(frozen=True, slots=True)
class _Entries:
    """Entries in routes: a `MatchMap`, serialized, and its digest."""

    packed: bytes
    digest: int


@dataclass(frozen=True, slots=True)
class _Made:
    """What was made of a part: its resources with their digest, and its entries in the routes."""

    secrets: Mapping[str, Resource]
    clusters: Mapping[str, Resource]
    called: _Entries
    digest: int


@dataclass(frozen=True, eq=False)
class ServerPart(Part[CustomerServer]):
    """Some servers, in their order."""

    _made: dict[_Shown, _Made] = field(default_factory=dict)
    _places: dict[int, frozenset[int]] = field(default_factory=dict)

    def is_at(self, number: int, count: int) -> bool:
        """Tell whether its customers are those whose place is this one of so many parts."""
        if count not in self._places:
            self._places[count] = frozenset(place(each.tsp_id, count) for each in self.items)
        return self._places[count] <= {number}

    def made(self, shown: _Shown) -> _Made:
        """Return what is made of these servers."""
        found = self._made.get(shown)
        if found is None:
            if len(self._made) >= _KEPT:
                self._made.clear()
            found = self._made[shown] = _make(self.items, shown)
        return found


class Servers(InParts[CustomerServer, ServerPart]):
    """The servers of all customers, by parts."""


@dataclass(frozen=True, slots=True)
class OfCustomers:
    """What the servers of all customers add to a snapshot.

    `on_demand` are the resources that a node has if it asks for them by name, by type and name; `routes` lead to them.
    `digest` is that of the first, the same for the same resources however they are divided into parts.
    """

    on_demand: Mapping[str, Mapping[str, Resource]]
    routes: tuple[Resource, ...]
    digest: str


def of_customers(state: HubState) -> OfCustomers:
    """Return what the servers of a state's customers add to its snapshot. Raises `ValueError` if one has two."""
    servers = _in_parts(state.customers)
    return _of_all(servers.parts, _Shown(state.client, state.danger_outbound_loopback))


def _in_parts(servers: Sequence[CustomerServer]) -> Servers:
    return servers if isinstance(servers, Servers) else Servers((ServerPart(tuple(servers)),))


@lru_cache(maxsize=_KEPT)
def _of_all(parts: tuple[ServerPart, ...], shown: _Shown) -> OfCustomers:
    if not all(each.is_at(number, len(parts)) for number, each in enumerate(parts)):
        raise ValueError("a customer's server is in another part than its place")
    made = [each.made(shown) for each in parts]
    secrets, clusters = ByName(each.secrets for each in made), ByName(each.clusters for each in made)
    on_demand = {names.SECRET_TYPE: secrets, names.CLUSTER_TYPE: clusters} if clusters else {}
    routes = (_routes([each.called for each in made]), probe_routes(()))
    return OfCustomers(on_demand, routes, f"{sum(each.digest for each in made):x}")


@dataclass(frozen=True, slots=True)
class ProbeWay:
    """What a node is given while a customer's server is probed: a cluster of its own, and the entry that leads there.

    `entry` is a `MatchMap`, serialized, as `customer_entries` yields it.
    """

    cluster: Resource
    entry: bytes


def probe_way(cluster: Resource, secret: Resource) -> ProbeWay:
    """Return the way to a customer's server for probes, established or not.

    Of its cluster and its secret as `of_customers` made them; raises `TypeError` for others.
    """
    if not (isinstance(cluster, _ClusterOf) and isinstance(secret, _SecretOf)):
        raise TypeError(f"{cluster.name} and {secret.name} are not those that were made of a customer's server")
    [entry] = cluster.entries(names.PROBE, secret)
    return ProbeWay(resource_of(as_probed(cluster.message())), entry)


def probe_routes(entries: Iterable[bytes]) -> Resource:
    """Return the routes of probes: with the entries of those who are probed, and without any while nobody is."""
    return packed_resource(names.PROBE, customer_routes(names.PROBE, b"".join(entries)))


def _make(servers: tuple[CustomerServer, ...], shown: _Shown) -> _Made:
    servers = tuple(sorted(servers, key=attrgetter("tsp_id")))
    client, loopback = shown.client, shown.danger_outbound_loopback
    secrets = _named(_SecretOf(each.tsp_id, each.client or client) for each in servers)
    clusters = _named(_ClusterOf(each, danger_outbound_loopback=loopback) for each in servers)
    if len(secrets) != len(servers):
        raise ValueError("two servers are of one customer")
    established = [each for each in servers if each.established]
    called = [*customer_entries(names.EGRESS, established, client, danger_outbound_loopback=loopback)]
    digest = _digest(f"{each.name} {each.version}".encode() for each in (*secrets.values(), *clusters.values()))
    return _Made(secrets, clusters, _Entries(b"".join(called), _digest(called)), digest)


def _named(resources: Iterable[Resource]) -> dict[str, Resource]:
    return {each.name: each for each in resources}


def _digest(contents: Iterable[bytes]) -> int:
    # A sum does not depend on the order, and so not on the parts.
    return sum(int.from_bytes(sha256(each).digest(), "big") for each in contents)


def _routes(entries: Sequence[_Entries]) -> Resource:
    digest = sum(each.digest for each in entries)
    version, name = _version(_routes_form(empty=not digest), f"{digest:x}"), names.EGRESS
    return Deferred(name, version, lambda: customer_routes(name, b"".join(each.packed for each in entries)))


@cache
def _routes_form(*, empty: bool) -> str:
    """Return the version of the routes around the entries: another one where a release makes them in another way."""
    return packed_resource(names.EGRESS, customer_routes(names.EGRESS, b"" if empty else b"sample")).version


class _ClusterOf(Resource):
    """The cluster of a customer's server. Its name has in it the digest of all that it is made of."""

    __slots__ = ("_danger_outbound_loopback", "_server")
    _danger_outbound_loopback: bool
    _server: CustomerServer

    def __init__(self, server: CustomerServer, *, danger_outbound_loopback: bool) -> None:
        digest = customer_digest(server, danger_outbound_loopback=danger_outbound_loopback)
        name = names.customer_cluster(server.tsp_id, digest)
        made_with(self, name=name, version=_version(_cluster_form(), name))
        made_with(self, _server=server, _danger_outbound_loopback=danger_outbound_loopback)

    @property
    def packed(self) -> Any:
        """The cluster, made now."""
        return any_of(self.message())

    def message(self) -> Any:
        """Return the cluster as it is before it is packed, made now."""
        return customer_cluster(self._server, danger_outbound_loopback=self._danger_outbound_loopback)

    def entries(self, name: str, shown: "_SecretOf") -> Iterator[bytes]:
        """Yield its entry in the routes of this name, as `customer_entries` does; the customer is `shown` that."""
        loopback = self._danger_outbound_loopback
        return customer_entries(name, (self._server,), shown.pair, danger_outbound_loopback=loopback)


class _SecretOf(Resource):
    """The client certificate that a customer is shown, with its key."""

    __slots__ = ("pair",)
    pair: KeyPair

    def __init__(self, tsp_id: str, pair: KeyPair) -> None:
        name = names.client_certificate(tsp_id)
        made_with(self, name=name, version=_version(_secret_form(pair), name), pair=pair)

    @property
    def packed(self) -> Any:
        """The secret, made now."""
        return any_of(key_pair_secret(self.name, self.pair))


def _version(form: str, name: str) -> str:
    """Return the version of what its name and a form together say all of."""
    return sha256(f"{form} {name}".encode()).hexdigest()[:16]


@cache
def _cluster_form() -> str:
    """Return the versions of samples: other ones where a release makes clusters in another way."""
    anchors = cast("Anchors", _Sample())
    servers = [
        CustomerServer("0", "sample.example", 1, "", anchors, established=True, spki_pins=each) for each in _PINS
    ]
    made = (customer_cluster(one, danger_outbound_loopback=loopback) for one in servers for loopback in (False, True))
    return " ".join(resource_of(each).version for each in made)


@lru_cache(maxsize=_PAIRS)
def _secret_form(pair: KeyPair) -> str:
    return resource_of(key_pair_secret("sample", pair)).version
