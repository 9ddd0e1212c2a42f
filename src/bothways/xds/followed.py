"""What an Envoy has confirmed, read off its stream as it passes: for whoever is to serve it again without the hub.

The law: what was refused is not in it, what the hub took away is not, and what is not whole is not given out. Of what
was refused, the last good one is kept: with an Envoy that starts anew, the one that was known before.
Ways of probes are not kept: without the hub there is no probe, and for each one all routes would be saved anew.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from envoy.config.listener.v3 import listener_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2
from envoy.extensions.transport_sockets.tls.v3 import tls_pb2

from bothways.xds import names
from bothways.xds.resource import Resource
from bothways.xds.servers import probe_routes
from bothways.xds.snapshot import Snapshot

_WILDCARD = "*"
_WILDCARD_TYPES = (names.CLUSTER_TYPE, names.LISTENER_TYPE)
_Resources = dict[str, Resource]


@dataclass(slots=True)
class _Type:
    """One type on one stream: what the node has confirmed, and what it has not answered.

    `pending` holds by nonce what each unanswered response brought, None for what it took away; `doubtful` what was
    refused as a part of more, of which a node may have taken in what is good.
    """

    held: _Resources = field(default_factory=dict)
    pending: dict[str, dict[str, Resource | None]] = field(default_factory=dict)
    doubtful: _Resources = field(default_factory=dict)
    heard: bool = False
    named: set[str] = field(default_factory=set)
    wildcard: bool = False

    def wants(self, name: str) -> bool:
        return name in self.named or (self.wildcard and not names.on_demand(name))

    def offered(self) -> Iterator[Resource]:
        """Yield all that the node may have now."""
        yield from self.held.values()
        yield from self.doubtful.values()
        for each in self.pending.values():
            yield from filter(None, each.values())


class Followed:
    """One stream between a node and the hub; each message is shown to it on its way, in order.

    `base` is what was whole last, and `before` the stream before this one, if there was one in this process: an Envoy
    says what it has by name and version alone.
    """

    def __init__(self, base: Snapshot | None = None, before: "Followed | None" = None) -> None:
        self._base: Mapping[str, Mapping[str, Resource]] = (
            {kind: base.of(kind) for kind in names.PUSH_ORDER} if base else {}
        )
        self._types: dict[str, _Type] = {}
        self._before = before.known if before else {}
        # What is on demand is asked for when somebody calls: an Envoy that starts anew has not asked yet.
        self._unasked = {kind: _on_demand(self._base.get(kind, {})) for kind in names.PUSH_ORDER}
        self._version = base.version if base else ""
        self._changed = False

    @property
    def known(self) -> dict[str, _Type]:
        """What is known of each type: a stream that broke before the node spoke of it knows what the one before did."""
        return {**self._before, **self._types}

    def end_on_demand(self) -> None:
        """Take note that the stream of what is on demand has ended: the node has it still, and says so on the next."""
        if ended := self._types.pop(names.ON_DEMAND_TYPE, None):
            self._before = {**self._before, names.ON_DEMAND_TYPE: ended}
            self._unasked[names.CLUSTER_TYPE].update(ended.held)

    def request(self, message: Any) -> None:
        """Take note of a `DeltaDiscoveryRequest` of the node: what it has, and what it says of a response."""
        kind, asked = message.type_url, set(message.resource_names_subscribe)
        of_type = self._types.get(kind)
        if of_type is None:
            of_type = self._types[kind] = _Type(wildcard=not asked and kind in _WILDCARD_TYPES)
            of_type.held.update(self._recognized(kind, message.initial_resource_versions))
            self._changed = True
        if message.response_nonce:
            self._answer(kind, of_type, message)
        given_up = set(message.resource_names_unsubscribe)
        of_type.named |= asked - {_WILDCARD}
        of_type.named -= given_up
        of_type.wildcard = _WILDCARD in asked or (of_type.wildcard and _WILDCARD not in given_up)
        if given_up:
            kept = {name: each for name, each in of_type.held.items() if name not in given_up and of_type.wants(name)}
            self._changed = self._changed or len(kept) != len(of_type.held)
            of_type.held = kept

    def response(self, message: Any) -> None:
        """Take note of a `DeltaDiscoveryResponse` of the hub, which the node has not answered yet."""
        of_type = self._types.setdefault(message.type_url, _Type())
        brought = {each.name: Resource(each.name, each.version, each.resource) for each in message.resources}
        of_type.pending[message.nonce] = {**dict.fromkeys(message.removed_resources), **brought}
        of_type.heard = True
        self._version = message.system_version_info or self._version

    def whole(self) -> bool:
        """Tell whether what the node has confirmed can be served as it is: nothing is under way, nothing is missing."""
        if any(kind not in self._types or not self._types[kind].heard for kind in _WILDCARD_TYPES):
            return False
        if any(of_type.pending for of_type in self._types.values()):
            return False
        return all(names.of_probes(kind, name) or name in self._held(kind) for kind, name in self._referred_to())

    def take(self) -> Snapshot | None:
        """Return all that the node has confirmed, or None if that is what was taken last. Only while it is `whole`."""
        if not self._changed:
            return None
        self._changed = False
        self._forget_unasked()
        resources = {kind: {**self._unasked[kind], **self._held(kind)} for kind in names.PUSH_ORDER}
        resources[names.CLUSTER_TYPE].update(self._held(names.ON_DEMAND_TYPE))
        if (names.ROUTE_TYPE, names.PROBE) in self._referred_to():
            resources[names.ROUTE_TYPE][names.PROBE] = probe_routes(())
        return Snapshot(self._version, resources)

    def not_kept(self) -> None:
        """Take note that what was taken last came to nothing: it is given out again."""
        self._changed = True

    def _referred_to(self) -> set[tuple[str, str]]:
        return {each for listener in self._held(names.LISTENER_TYPE).values() for each in _references(listener)}

    def _held(self, kind: str) -> _Resources:
        return self._types[kind].held if kind in self._types else {}

    def _recognized(self, kind: str, versions: Mapping[str, str]) -> Iterator[tuple[str, Resource]]:
        known = (*self._before.get(kind, _Type()).offered(), *self._base.get(names.stored_as(kind), {}).values())
        kept = (each for each in known if not names.of_probes(kind, each.name))
        return ((each.name, each) for each in kept if versions.get(each.name) == each.version)

    def _answer(self, kind: str, of_type: _Type, message: Any) -> None:
        brought = of_type.pending.pop(message.response_nonce, {})
        refused = message.HasField("error_detail")
        if refused and len(brought) > 1:
            # The hub sends it again in halves, until it is known what is bad in it.
            of_type.doubtful.update((name, each) for name, each in brought.items() if each)
            return
        for name, resource in brought.items():
            of_type.doubtful.pop(name, None)
            if names.of_probes(kind, name):
                continue
            if refused:
                good = self._base.get(names.stored_as(kind), {}).get(name)
                if name not in of_type.held and good is not None:
                    of_type.held[name] = good
            elif resource is None:
                of_type.held.pop(name, None)
                self._unasked[names.stored_as(kind)].pop(name, None)
            elif of_type.wants(name):
                of_type.held[name] = resource
            self._changed = True

    def _forget_unasked(self) -> None:
        """Let go what no route leads to: the hub says nothing of it to an Envoy that has not asked for it."""
        clusters = self._unasked[names.CLUSTER_TYPE]
        if not clusters:
            self._unasked[names.SECRET_TYPE].clear()
            return
        led_to: set[str] = set()
        for routes in self._held(names.ROUTE_TYPE).values():
            led_to |= names.customer_clusters_in(routes.packed.value)
        for name in clusters.keys() - led_to:
            del clusters[name]
        found = (names.customer_of(name) for name in clusters)
        kept = {names.client_certificate(each[0]) for each in found if each}
        for name in self._unasked[names.SECRET_TYPE].keys() - kept:
            del self._unasked[names.SECRET_TYPE][name]


def _on_demand(resources: Mapping[str, Resource]) -> _Resources:
    return {name: each for name, each in resources.items() if names.on_demand(name)}


def _references(listener: Resource) -> Iterator[tuple[str, str]]:
    """Yield type and name of each resource without which a listener does not serve."""
    message = listener_pb2.Listener.FromString(listener.packed.value)
    for chain in message.filter_chains:
        if chain.HasField("transport_socket"):
            context = tls_pb2.DownstreamTlsContext.FromString(chain.transport_socket.typed_config.value)
            yield from ((names.SECRET_TYPE, name) for name in _secrets(context.common_tls_context))
        for each in chain.filters:
            if each.name == names.HTTP_CONNECTION_MANAGER:
                manager = http_connection_manager_pb2.HttpConnectionManager.FromString(each.typed_config.value)
                yield names.ROUTE_TYPE, manager.rds.route_config_name
                found = (filter_.name for filter_ in manager.http_filters if filter_.HasField("config_discovery"))
                yield from ((names.EXTENSION_TYPE, name) for name in found)


def _secrets(context: Any) -> Iterable[str]:
    trust = context.validation_context_sds_secret_config.name
    return filter(None, (*(each.name for each in context.tls_certificate_sds_secret_configs), trust))
