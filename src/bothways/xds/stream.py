"""One delta xDS stream, without I/O: requests and snapshots go in, responses come out.

The law: a node is sent what it asked for and does not have in that version, once; what it has and is gone, it is told;
what it refused is not sent again until it changes. A response that it refused as a whole is sent again in halves, so
that one bad resource holds up no good one. Makes come before breaks, in the order of `names.PUSH_ORDER`.

What is on demand is sent to whoever asked for it by name; a wildcard is everything else. Its clusters are taken away
only when the node has confirmed the routes, which lead to them no more. Taken away, they stay asked for, and are sent
again if they come back: Envoy asks for a name once in its life (pull requests 44742 and 47201 of envoyproxy/envoy).

A node asks for them on a stream of their own, so that one that waits for its name keeps it from asking for no other.
That is one more subscription here, as one of the type `names.ON_DEMAND_TYPE`: what it takes away hangs on the routes of
the first stream. An Envoy with a listener from before asks on the first.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from bothways.xds import names
from bothways.xds.resource import Resource
from bothways.xds.response import Response
from bothways.xds.snapshot import Snapshot
from bothways.xds.subscription import Subscription
from bothways.xds.withdrawn import for_node

_WILDCARD = "*"
_WILDCARD_TYPES = (names.CLUSTER_TYPE, names.LISTENER_TYPE)
_AWAITED_BY = {names.ROUTE_TYPE: names.EXTENSION_TYPE, names.EXTENSION_TYPE: names.ROUTE_TYPE}
_CLUSTER_TYPES = (names.CLUSTER_TYPE, names.ON_DEMAND_TYPE)
_AFTER_CLUSTERS = names.PUSH_ORDER.index(names.CLUSTER_TYPE) + 1
_ORDER = (*names.PUSH_ORDER[:_AFTER_CLUSTERS], names.ON_DEMAND_TYPE, *names.PUSH_ORDER[_AFTER_CLUSTERS:])


class DeltaStream:
    """The server's side of one node's stream. Not shared between tasks.

    `version` is that of the last snapshot of which the node confirmed a part. With `fills_only`, what
    the node has when it comes stays as it is: the server stands in for another one, whose last words may be later.
    """

    def __init__(self, *, fills_only: bool = False) -> None:
        self._fills_only = fills_only
        self.node_id = ""
        self.version = ""
        self.refusals: dict[str, str] = {}
        self._subscriptions: dict[str, Subscription] = {}
        self._nonce = 0
        self._versions: dict[str, str] = {}
        self._withdrawn: Resource | None = None
        self._kept_in = ""

    def receive(self, request: Any, snapshot: Snapshot) -> list[Response]:
        """Take a `DeltaDiscoveryRequest`; return the responses to send now."""
        type_url = request.type_url
        if request.node.id:
            self.node_id = request.node.id
        first = type_url not in self._subscriptions
        subscription = self._subscriptions.setdefault(type_url, Subscription())
        refused = self._answer(subscription, request)
        added = set(request.resource_names_subscribe)
        removed = set(request.resource_names_unsubscribe)
        if first:
            # A first request without names is the wildcard of CDS and LDS (xDS protocol, "wildcard subscriptions").
            subscription.wildcard = not added and type_url in _WILDCARD_TYPES
            held = dict(request.initial_resource_versions)
            if self._fills_only:
                of_type = snapshot.of(type_url)
                held = {name: of_type[name].version for name in held if name in of_type}
            subscription.sent, subscription.confirmed = held, dict(held)
        asked = self._subscribe(subscription, added, removed, frozenset(request.initial_resource_versions))
        if self._fills_only:
            # What the node has and the snapshot has not is not told to be gone.
            asked -= set(request.initial_resource_versions)
        waited, snapshot = self._kept_in == snapshot.version, self._as_it_may_be(snapshot, sent=bool(first or asked))
        responses = [*self._halves(type_url, subscription, snapshot, refused)]
        if first or asked:
            responses += self._made(type_url, subscription, snapshot, asked=asked)
            responses += self._broken(type_url, snapshot)
        # What is published and not sent yet comes in its order.
        if waited and (waiting := self._subscriptions.get(other := _AWAITED_BY.get(type_url, ""))):
            responses += self._made(other, waiting, snapshot, asked=set())
        if type_url == names.ROUTE_TYPE:
            for each in _CLUSTER_TYPES:
                responses += self._broken(each, snapshot)
        self._tell_all()
        return responses

    def end_on_demand(self) -> None:
        """Take note that the stream of what is on demand has ended: the next one says anew what it has."""
        self._subscriptions.pop(names.ON_DEMAND_TYPE, None)

    def not_packed(self, response: Response, failed: Mapping[str, str]) -> None:
        """Take note of what could not be packed into a response: it counts as refused by the node, with the reason."""
        if subscription := self._subscriptions.get(response.type_url):
            subscription.not_packed(response.nonce, failed)
            self._tell_all()

    def publish(self, snapshot: Snapshot) -> list[Response]:
        """Return the responses that bring this node to the snapshot: changes first, removals last and backwards."""
        responses: list[Response] = []
        snapshot = self._as_it_may_be(snapshot, sent=True)
        for type_url in _ORDER:
            if subscription := self._subscriptions.get(type_url):
                responses += self._made(type_url, subscription, snapshot, asked=set())
        for type_url in reversed(_ORDER):
            responses += self._broken(type_url, snapshot)
        self._tell_all()
        return responses

    @property
    def unpacked(self) -> tuple[str, ...]:
        """Why the node lacks what could not be packed; that serves one customer, too."""
        return tuple(said for each in self._subscriptions.values() for said in each.reasons_unpacked)

    @property
    def refused_by_need(self) -> tuple[str, ...]:
        """What the node said of refused resources that it cannot do without: of those that serve not one customer."""
        each = (one.refused.items() for one in self._subscriptions.values())
        return tuple(said for items in each for name, said in items if not names.of_one_customer(name))

    def refused_since(self, before: Snapshot, snapshot: Snapshot) -> tuple[str, ...]:
        """As `refused_by_need`, of what a snapshot has in another version than the one before: that is its fault."""
        return tuple(
            said
            for type_url, one in self._subscriptions.items()
            for name, said in one.refused.items()
            if not names.of_one_customer(name)
            and snapshot.version_of(type_url, name) != before.version_of(type_url, name)
        )

    @property
    def waits(self) -> bool:
        """Tell whether the node has not answered all that it was sent."""
        return any(one.pending for one in self._subscriptions.values())

    @property
    def customers(self) -> int:
        """How many customers' servers the node has: of those that it was asked to call."""
        each = (self._subscriptions[kind] for kind in _CLUSTER_TYPES if kind in self._subscriptions)
        return len({name for subscription in each for name in subscription.confirmed if names.on_demand(name)})

    def settled(self, snapshot: Snapshot) -> bool:
        """Tell whether the node has confirmed every resource of the snapshot, and holds no other.

        What is on demand or lingers in the snapshot need be confirmed only by a node that asks for it, and what serves
        one customer not by a node that refused it. Customers' clusters do not count: which one is called is in the
        routes, and Envoy confirms a cluster only when its name was looked up.
        """
        return all(self._confirmed(type_url, snapshot) for type_url in names.PUSH_ORDER)

    def _as_it_may_be(self, snapshot: Snapshot, *, sent: bool) -> Snapshot:
        """Return the snapshot with the list of the withdrawn, or the maps, that the node keeps for now.

        `sent`: it is sent now, so that what is kept from it waits for the node's next words.
        """
        types = (names.EXTENSION_TYPE, names.ROUTE_TYPE)
        lists, maps = (self._subscriptions.get(each, Subscription()) for each in types)
        given = for_node(snapshot, lists, maps, self._withdrawn)
        if sent:
            self._kept_in = "" if given is snapshot else snapshot.version
        return given

    def _confirmed(self, type_url: str, snapshot: Snapshot) -> bool:
        subscription, lingering = self._subscriptions.get(type_url), snapshot.lingering.get(type_url, frozenset())
        of_type = snapshot.of(type_url)
        if subscription is None:
            return bool(lingering) and not of_type.keys() - lingering
        unasked = snapshot.unasked(type_url)
        needed = {
            name: resource.version
            for name, resource in unasked.items()
            if subscription.wants(name) or not (name in lingering or names.on_demand(name))
        }
        # Of thousands of customers, a node names some.
        named = snapshot.on_demand_of(type_url)
        needed |= {name: named[name].version for name in subscription.named if name in named and name not in unasked}
        return all(
            names.of_one_customer(name) and (type_url == names.CLUSTER_TYPE or name in subscription.refused)
            for name, _ in subscription.confirmed.items() ^ needed.items()
        )

    def _answer(self, subscription: Subscription, request: Any) -> dict[str, str | None]:
        """Take an ACK or a NACK; return what was refused as a part of more, so that nobody knows what is bad in it."""
        versions = subscription.pending.pop(request.response_nonce, {})
        told = self._versions.pop(request.response_nonce, self.version)
        if request.HasField("error_detail"):
            if len(versions) > 1:
                return versions
            subscription.refuse(versions, request.error_detail.message)
            return {}
        self.version = told
        for name, version in versions.items():
            if version:
                subscription.confirmed[name] = version
            elif version is not None:
                subscription.confirmed.pop(name, None)
        return {}

    def _subscribe(
        self, subscription: Subscription, added: set[str], removed: set[str], known: frozenset[str]
    ) -> set[str]:
        """Change what the node wants; return the names that have to be answered."""
        subscription.named |= added - {_WILDCARD}
        subscription.named -= removed
        if _WILDCARD in added:
            subscription.ask_for_all()
        dropped = removed - {_WILDCARD}
        if _WILDCARD in removed:
            subscription.wildcard = False
            dropped |= set(subscription.sent) - subscription.named
        for name in dropped:
            subscription.forget(name)
        # Names asked for again are sent again: the node says that it does not have them.
        for name in added - known:
            subscription.sent.pop(name, None)
        # Under a wildcard the node cannot know whether a name that it gave up is still there, so it is told.
        return added | dropped if subscription.wildcard else added

    def _halves(
        self, type_url: str, subscription: Subscription, snapshot: Snapshot, refused: dict[str, str | None]
    ) -> Iterator[Response]:
        of_type = snapshot.of(type_url)
        current = [
            name
            for name, version in sorted(refused.items(), key=lambda each: (not each[1], each[0]))
            if subscription.sent.get(name, "") == version == (of_type[name].version if name in of_type else "")
        ]
        middle = len(current) // 2
        for half in filter(None, (current[:middle], current[middle:])):
            changed = [of_type[name] for name in half if name in of_type]
            yield self._response(type_url, subscription, snapshot, changed, [n for n in half if n not in of_type])

    def _tell_all(self) -> None:
        said: dict[str, list[str]] = {}
        for type_url, each in self._subscriptions.items():
            told = names.CLUSTER_TYPE if type_url == names.ON_DEMAND_TYPE else type_url
            said.setdefault(told, []).extend(each.refused.values())
        self.refusals = {type_url: "; ".join(dict.fromkeys(each)) for type_url, each in said.items() if each}

    def _made(
        self, type_url: str, subscription: Subscription, snapshot: Snapshot, *, asked: set[str]
    ) -> Iterator[Response]:
        of_type, unasked = snapshot.of(type_url), snapshot.unasked(type_url) if subscription.wildcard else {}
        wanted = (*unasked, *sorted(name for name in subscription.named if name in of_type and name not in unasked))
        changed = [
            of_type[name]
            for name in wanted
            # One without a version is kept for later (`withdrawn.py`).
            if subscription.wants(name) and subscription.sent.get(name, "") != of_type[name].version
        ]
        # Of what is on demand a node has what it says it has, until that is taken away in its turn.
        known = {name for name in asked & subscription.sent.keys() if names.on_demand(name)}
        absent = (name for name in asked - known - {_WILDCARD} if name not in of_type or not subscription.wants(name))
        missing = sorted(absent)
        maps = type_url == names.ROUTE_TYPE and not asked
        if 0 < len(ahead := [each for each in changed if maps and names.is_inbound_routes(each.name)]) < len(changed):
            # Who may enter waits for no node that reads the ways to thousands of customers.
            yield self._response(type_url, subscription, snapshot, ahead, [])
            changed = [each for each in changed if each not in ahead]
        # An empty wildcard is answered too, or Envoy waits for it when it starts.
        if changed or missing or (subscription.fresh and subscription.wildcard):
            yield self._response(type_url, subscription, snapshot, changed, missing)
        secrets = self._subscriptions.get(names.SECRET_TYPE)
        if type_url in _CLUSTER_TYPES and secrets and secrets.refused:
            # Envoy refuses a customer's secret for what is bad in its cluster: with another cluster, it is taken.
            found = (names.customer_of(resource.name) for resource in changed)
            again = {names.client_certificate(each[0]) for each in found if each} & secrets.refused.keys()
            for name in again:
                secrets.sent.pop(name, None)
            if again:
                yield from self._made(names.SECRET_TYPE, secrets, snapshot, asked=set())

    def _broken(self, type_url: str, snapshot: Snapshot) -> Iterator[Response]:
        subscription, of_type = self._subscriptions.get(type_url), snapshot.of(type_url)
        if subscription is None:
            return
        gone = sorted(name for name in subscription.sent if name not in of_type)
        if type_url in _CLUSTER_TYPES and not self._confirmed(names.ROUTE_TYPE, snapshot):
            gone = [name for name in gone if not names.on_demand(name)]
        if gone:
            yield self._response(type_url, subscription, snapshot, [], gone)

    def _response(
        self, type_url: str, subscription: Subscription, snapshot: Snapshot, changed: list[Resource], gone: list[str]
    ) -> Response:
        self._nonce += 1
        nonce = str(self._nonce)
        subscription.fresh = False
        subscription.sent.update({resource.name: resource.version for resource in changed})
        for name in gone:
            subscription.sent.pop(name, None)
        self._withdrawn = next((each for each in changed if each.name == names.WITHDRAWN_FILTER), self._withdrawn)
        versions: dict[str, str | None] = {**{each.name: each.version for each in changed}, **dict.fromkeys(gone, "")}
        for name in versions:
            subscription.again(name)
        self._versions[nonce], subscription.pending[nonce] = snapshot.version, versions
        return Response(type_url, nonce, snapshot.version, tuple(changed), tuple(gone))
