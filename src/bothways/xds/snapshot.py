"""A snapshot: all resources of one state, each with a version that is the hash of its content."""

from collections import ChainMap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from envoy.config.core.v3 import extension_pb2

from bothways.xds import names
from bothways.xds.authorization import refuse
from bothways.xds.cluster import collector_cluster, connectivity_cluster, service_cluster
from bothways.xds.identities import in_parts
from bothways.xds.listener import egress_listener, inbound_listener, node_listener, probe_listener
from bothways.xds.resource import Resource, resource_of
from bothways.xds.route import around_the_maps, inbound_routes
from bothways.xds.servers import OfCustomers, of_customers
from bothways.xds.state import HubState, RemoteNode
from bothways.xds.tls import key_pair_secret, probe_trust_secret, trust_secret


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All resources, by type and name. `version` is the hash of everything: equal states have equal versions.

    `on_demand` are those of thousands of customers, which a node has if it asks for them by name: the same objects
    while no customer's server changes, so that nobody goes through them for another change. Some may be among
    `resources` as well, which count first.
    `lingering` names, by type, what nothing in here refers to: only what a node is still draining does, if anything.
    `remote` holds what each remote node is to have, by its name; those snapshots have the version of the whole.
    """

    version: str
    resources: Mapping[str, Mapping[str, Resource]]
    lingering: Mapping[str, frozenset[str]] = field(default_factory=dict)
    remote: Mapping[str, "Snapshot"] = field(default_factory=dict)
    on_demand: Mapping[str, Mapping[str, Resource]] = field(default_factory=dict)

    def of(self, type_url: str) -> Mapping[str, Resource]:
        """Return the resources of one type, by name."""
        own, named = self.unasked(type_url), self.on_demand_of(type_url)
        # Typed for what is written to, and only read here.
        return ChainMap(own, named) if named else own  # type: ignore[arg-type]

    def version_of(self, type_url: str, name: str) -> str:
        """Return the version of a resource, or an empty text if there is none of this name."""
        found = self.of(type_url).get(name)
        return found.version if found else ""

    def unasked(self, type_url: str) -> Mapping[str, Resource]:
        """Return those of one type that a node may have without naming them; those on demand are among the clusters."""
        return self.resources.get(names.stored_as(type_url), {})

    def on_demand_of(self, type_url: str) -> Mapping[str, Resource]:
        """Return those of one type that a node has to name."""
        return self.on_demand.get(names.stored_as(type_url), {})


def build_snapshot(state: HubState) -> Snapshot:
    """Return everything that the Envoy beside the control plane, and each remote one, needs for this state.

    While the endpoint is shut it has no listener. What was connected before is drained for minutes, so its routes are
    there, and refuse everything; they go out before the listener is taken away.
    """
    secrets = [
        key_pair_secret(names.SERVER_CERTIFICATE, state.server),
        trust_secret(names.CUSTOMER_TRUST, state.trust),
    ]
    clusters = [
        connectivity_cluster(state.connectivity_socket),
        *([collector_cluster(state.tracing)] if state.tracing else []),
        *(service_cluster(service) for service in state.services),
    ]
    listeners = [egress_listener(state), probe_listener(state)]
    lingering = {}
    if state.shut:
        lingering = {
            names.EXTENSION_TYPE: frozenset({names.WITHDRAWN_FILTER}),
            names.SECRET_TYPE: frozenset({names.SERVER_CERTIFICATE, names.CUSTOMER_TRUST}),
            names.ROUTE_TYPE: frozenset({names.inbound_routes(state.opening)}),
        }
    else:
        listeners.append(inbound_listener(state))
    customers = of_customers(state)
    whole = _snapshot(
        {
            names.EXTENSION_TYPE: [withdrawn_resource(each.uri_id for each in state.withdrawn)],
            names.SECRET_TYPE: _resources(secrets),
            names.CLUSTER_TYPE: _resources(clusters),
            names.LISTENER_TYPE: _resources(listeners),
            names.ROUTE_TYPE: [_maps(state), *customers.routes],
        },
        customers,
        lingering,
    )
    return _with_nodes(whole, state) if state.nodes else whole


def _with_nodes(whole: Snapshot, state: HubState) -> Snapshot:
    """Add what remote nodes are to have: what differs is made for each, all else is the same objects."""
    shared = {
        **whole.resources,
        # A remote node has its own way to the control plane, in its bootstrap.
        names.CLUSTER_TYPE: _without(whole.unasked(names.CLUSTER_TYPE), names.CONNECTIVITY_CLUSTER),
    }
    lingering, digest = whole.lingering, sha256(whole.version.encode())
    if state.control_plane:
        probes = resource_of(probe_trust_secret(state.control_plane.anchors, state.environment))
        shared[names.SECRET_TYPE] = {**whole.unasked(names.SECRET_TYPE), probes.name: probes}
        digest.update(f"{probes.version}\n".encode())
        if state.shut:
            # The way for probes is at the endpoint's listener, and goes with it.
            lingering = {
                **lingering,
                names.SECRET_TYPE: lingering[names.SECRET_TYPE] | {probes.name},
                names.ROUTE_TYPE: lingering[names.ROUTE_TYPE] | {names.PROBE},
            }
    else:
        shared[names.ROUTE_TYPE] = _without(whole.of(names.ROUTE_TYPE), names.PROBE)
    listeners = {node.name: _listeners_at(state, node) for node in state.nodes}
    for name, of_node in sorted(listeners.items()):
        digest.update(f"{name} {' '.join(each.version for each in of_node.values())}\n".encode())
    version = digest.hexdigest()[:16]
    remote = {
        name: Snapshot(version, {**shared, names.LISTENER_TYPE: of_node}, lingering, on_demand=whole.on_demand)
        for name, of_node in listeners.items()
    }
    return replace(whole, version=version, remote=remote)


def _listeners_at(state: HubState, node: RemoteNode) -> dict[str, Resource]:
    # Shut is shut everywhere: what let a stranger in at one Envoy is the configuration of all.
    endpoint = () if state.shut else (node_listener(state, node),)
    egress = egress_listener(replace(state, egress=node.egress))
    return {each.name: resource_of(each) for each in (*endpoint, egress)}


def _without(resources: Mapping[str, Resource], name: str) -> dict[str, Resource]:
    return {key: value for key, value in resources.items() if key != name}


def _resources(messages: Iterable[Any]) -> list[Resource]:
    return [resource_of(each) for each in messages]


def _snapshot(
    listed: Mapping[str, list[Resource]], customers: OfCustomers, lingering: Mapping[str, frozenset[str]]
) -> Snapshot:
    resources = {type_url: {each.name: each for each in of_type} for type_url, of_type in listed.items()}
    for type_url, of_type in listed.items():
        if len(of_type) != len(resources[type_url]):
            raise ValueError(f"two resources of {type_url} have one name")
    digest = sha256(f"{customers.digest}\n".encode())
    for type_url in names.PUSH_ORDER:
        for name, resource in sorted(resources[type_url].items()):
            digest.update(f"{type_url} {name} {resource.version}\n".encode())
    return Snapshot(digest.hexdigest()[:16], resources, lingering, on_demand=customers.on_demand)


def withdrawn_resource(uri_ids: Iterable[str]) -> Resource:
    """Return whom the endpoint refuses though its maps have them, by their URI-IDs."""
    return resource_of(
        extension_pb2.TypedExtensionConfig(name=names.WITHDRAWN_FILTER, typed_config=refuse(sorted(uri_ids)))
    )


_KEPT = 2
"""Maps that are kept: of what is wanted, and of what all nodes have while one tries that."""
_made: dict[object, Resource] = {}


def _maps(state: HubState) -> Resource:
    """Return the routes of the endpoint; while nothing in them changes, as they were made before.

    They have the maps of all certificates, which stand while others are withdrawn ahead of them (`withdrawn.py`).
    """
    reached = tuple(in_parts(each.identities).parts for each in state.services)
    made_of = (around_the_maps(state), in_parts(state.identities).parts, reached)
    found = _made.get(made_of)
    if found is None:
        if len(_made) >= _KEPT:
            _made.clear()
        found = _made[made_of] = resource_of(inbound_routes(state))
    return found
