"""A snapshot: all resources of one state, each with a version that is the hash of its content."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import sha256
from typing import Any

from bothways.xds import names
from bothways.xds.cluster import collector_cluster, connectivity_cluster, customer_cluster, service_cluster
from bothways.xds.listener import egress_listener, inbound_listener, node_listener, probe_listener
from bothways.xds.route import customer_routes, inbound_routes
from bothways.xds.state import CustomerServer, HubState, RemoteNode
from bothways.xds.tls import key_pair_secret, probe_trust_secret, trust_secret
from bothways.xds.typed import any_of


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource, packed and versioned."""

    name: str
    version: str
    packed: Any


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All resources, by type and name. `version` is the hash of everything: equal states have equal versions.

    `lingering` names, by type, what nothing in here refers to: only what a node is still draining does, if anything.
    `remote` holds what each remote node is to have, by its name; those snapshots have the version of the whole.
    """

    version: str
    resources: Mapping[str, Mapping[str, Resource]]
    lingering: Mapping[str, frozenset[str]] = field(default_factory=dict)
    remote: Mapping[str, "Snapshot"] = field(default_factory=dict)

    def of(self, type_url: str) -> Mapping[str, Resource]:
        """Return the resources of one type, by name."""
        return self.resources.get(type_url, {})


def build_snapshot(state: HubState) -> Snapshot:
    """Return everything that the Envoy beside the control plane, and each remote one, needs for this state.

    While the endpoint is shut it has no listener. What was connected before is drained for minutes, so its routes are
    there, and refuse everything; they go out before the listener is taken away.
    """
    secrets = [
        key_pair_secret(names.SERVER_CERTIFICATE, state.server),
        trust_secret(names.CUSTOMER_TRUST, state.trust),
        *(key_pair_secret(names.client_certificate(each.tsp_id), state.client_of(each)) for each in state.customers),
    ]
    clusters = [
        connectivity_cluster(state.connectivity_socket),
        *([collector_cluster(state.tracing)] if state.tracing else []),
        *(service_cluster(service) for service in state.services),
    ]
    servers = [_server(each, danger_outbound_loopback=state.danger_outbound_loopback) for each in state.customers]
    listeners = [egress_listener(state), probe_listener(state)]
    lingering = {}
    if state.shut:
        lingering = {
            names.SECRET_TYPE: frozenset({names.SERVER_CERTIFICATE, names.CUSTOMER_TRUST}),
            names.ROUTE_TYPE: frozenset({names.inbound_routes(state.opening)}),
        }
    else:
        listeners.append(inbound_listener(state))
    routes = [
        inbound_routes(state),
        customer_routes(state, names.EGRESS, (each for each in state.customers if each.established)),
        customer_routes(state, names.PROBE, state.customers),
    ]
    whole = _snapshot(
        {
            names.SECRET_TYPE: _resources(secrets),
            names.CLUSTER_TYPE: [*_resources(clusters), *servers],
            names.LISTENER_TYPE: _resources(listeners),
            names.ROUTE_TYPE: _resources(routes),
        },
        lingering,
    )
    return _with_nodes(whole, state) if state.nodes else whole


def _with_nodes(whole: Snapshot, state: HubState) -> Snapshot:
    """Add what remote nodes are to have: what differs is made for each, all else is the same objects."""
    shared = {
        **whole.resources,
        # A remote node has its own way to the control plane, in its bootstrap.
        names.CLUSTER_TYPE: _without(whole.of(names.CLUSTER_TYPE), names.CONNECTIVITY_CLUSTER),
    }
    lingering, digest = whole.lingering, sha256(whole.version.encode())
    if state.control_plane:
        probes = resource_of(probe_trust_secret(state.control_plane.anchors, state.environment))
        shared[names.SECRET_TYPE] = {**whole.of(names.SECRET_TYPE), probes.name: probes}
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
        name: Snapshot(version, {**shared, names.LISTENER_TYPE: of_node}, lingering)
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


@lru_cache(maxsize=1 << 14)
def _server(server: CustomerServer, *, danger_outbound_loopback: bool) -> Resource:
    """Return the cluster of a customer's server: at 10,000 of them, a change makes that of one customer again."""
    return resource_of(customer_cluster(server, danger_outbound_loopback=danger_outbound_loopback))


def _resources(messages: Iterable[Any]) -> list[Resource]:
    return [resource_of(each) for each in messages]


def _snapshot(listed: Mapping[str, list[Resource]], lingering: Mapping[str, frozenset[str]]) -> Snapshot:
    resources = {type_url: {each.name: each for each in of_type} for type_url, of_type in listed.items()}
    for type_url, of_type in listed.items():
        if len(of_type) != len(resources[type_url]):
            raise ValueError(f"two resources of {type_url} have one name")
    digest = sha256()
    for type_url in names.PUSH_ORDER:
        for name, resource in sorted(resources[type_url].items()):
            digest.update(f"{type_url} {name} {resource.version}\n".encode())
    return Snapshot(digest.hexdigest()[:16], resources, lingering)


def resource_of(message: Any) -> Resource:
    """Return a message as the resource of its name, under the hash of its content."""
    packed = any_of(message)
    return Resource(message.name, sha256(packed.value).hexdigest()[:16], packed)
