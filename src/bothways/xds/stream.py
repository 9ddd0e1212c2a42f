"""One delta xDS stream, without I/O: requests and snapshots go in, responses come out.

The law: a node is sent what it asked for and does not have in that version, once; what it has and is gone, it is told;
what it refused is not sent again until it changes. Makes come before breaks, in the order of `names.PUSH_ORDER`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from envoy.service.discovery.v3 import discovery_pb2

from bothways.xds import names
from bothways.xds.snapshot import Snapshot

_WILDCARD = "*"


@dataclass(slots=True)
class _Subscription:
    """What the node asked for of one type, what it was sent (name to version), and what it has confirmed."""

    wildcard: bool = False
    named: set[str] = field(default_factory=set)
    sent: dict[str, str] = field(default_factory=dict)
    confirmed: dict[str, str] = field(default_factory=dict)
    pending: dict[str, dict[str, str]] = field(default_factory=dict)
    fresh: bool = True

    def wants(self, name: str) -> bool:
        return self.wildcard or name in self.named


class DeltaStream:
    """The server's side of one node's stream. Not shared between tasks."""

    def __init__(self) -> None:
        self.node_id = ""
        self.refusals: dict[str, str] = {}
        self._subscriptions: dict[str, _Subscription] = {}
        self._nonce = 0

    def receive(self, request: Any, snapshot: Snapshot) -> list[Any]:
        """Take a `DeltaDiscoveryRequest`; return the responses to send now."""
        type_url = request.type_url
        if request.node.id:
            self.node_id = request.node.id
        first = type_url not in self._subscriptions
        subscription = self._subscriptions.setdefault(type_url, _Subscription())
        self._confirm(subscription, request)
        added = set(request.resource_names_subscribe)
        removed = set(request.resource_names_unsubscribe)
        if first:
            # A first request without names is the wildcard of CDS and LDS (xDS protocol, "wildcard subscriptions").
            subscription.wildcard = not added or _WILDCARD in added
            subscription.sent = dict(request.initial_resource_versions)
            subscription.confirmed = dict(request.initial_resource_versions)
        subscription.wildcard = (subscription.wildcard or _WILDCARD in added) and _WILDCARD not in removed
        subscription.named |= added - {_WILDCARD}
        subscription.named -= removed
        for name in removed:
            subscription.sent.pop(name, None)
            subscription.confirmed.pop(name, None)
        # Names asked for again are sent again: the node says that it does not have them.
        for name in added - set(request.initial_resource_versions):
            subscription.sent.pop(name, None)
        if not (first or added):
            return []
        return [
            *self._made(type_url, subscription, snapshot, asked=added),
            *self._broken(type_url, subscription, snapshot),
        ]

    def publish(self, snapshot: Snapshot) -> list[Any]:
        """Return the responses that bring this node to the snapshot: changes first, removals last and backwards."""
        responses: list[Any] = []
        for type_url in names.PUSH_ORDER:
            if subscription := self._subscriptions.get(type_url):
                responses += self._made(type_url, subscription, snapshot, asked=set())
        for type_url in reversed(names.PUSH_ORDER):
            if subscription := self._subscriptions.get(type_url):
                responses += self._broken(type_url, subscription, snapshot)
        return responses

    def settled(self, snapshot: Snapshot) -> bool:
        """Tell whether the node has confirmed every resource of the snapshot, and holds no other."""
        return all(
            type_url in self._subscriptions
            and self._subscriptions[type_url].confirmed
            == {name: resource.version for name, resource in snapshot.of(type_url).items()}
            for type_url in names.PUSH_ORDER
        )

    def _confirm(self, subscription: _Subscription, request: Any) -> None:
        versions = subscription.pending.pop(request.response_nonce, None)
        if versions is None:
            return
        if request.HasField("error_detail"):
            self.refusals[request.type_url] = request.error_detail.message
            return
        if not subscription.pending:
            self.refusals.pop(request.type_url, None)
        for name, version in versions.items():
            if version:
                subscription.confirmed[name] = version
            else:
                subscription.confirmed.pop(name, None)

    def _made(
        self, type_url: str, subscription: _Subscription, snapshot: Snapshot, *, asked: set[str]
    ) -> Iterator[Any]:
        changed = [
            resource
            for name, resource in snapshot.of(type_url).items()
            if subscription.wants(name) and subscription.sent.get(name) != resource.version
        ]
        missing = sorted(name for name in asked - {_WILDCARD} if name not in snapshot.of(type_url))
        # An empty wildcard is answered too, or Envoy waits for it when it starts.
        if changed or missing or (subscription.fresh and subscription.wildcard):
            yield self._response(type_url, subscription, snapshot, changed, missing)

    def _broken(self, type_url: str, subscription: _Subscription, snapshot: Snapshot) -> Iterator[Any]:
        gone = sorted(name for name in subscription.sent if name not in snapshot.of(type_url))
        if gone:
            yield self._response(type_url, subscription, snapshot, [], gone)

    def _response(
        self, type_url: str, subscription: _Subscription, snapshot: Snapshot, changed: list[Any], gone: list[str]
    ) -> Any:
        self._nonce += 1
        nonce = str(self._nonce)
        subscription.fresh = False
        subscription.sent.update({resource.name: resource.version for resource in changed})
        for name in gone:
            subscription.sent.pop(name, None)
        subscription.pending[nonce] = {resource.name: resource.version for resource in changed} | dict.fromkeys(
            gone, ""
        )
        return discovery_pb2.DeltaDiscoveryResponse(
            system_version_info=snapshot.version,
            type_url=type_url,
            nonce=nonce,
            resources=[
                discovery_pb2.Resource(name=each.name, version=each.version, resource=each.packed) for each in changed
            ],
            removed_resources=gone,
        )
