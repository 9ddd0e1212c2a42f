"""Whoever was refused is not let in again, and whoever may enter is, for any order of what can happen.

Two control planes publish the same state, each with the maps that stand at it. A node has maps and a list, refuses now
one and now the other, breaks off, comes back to either of them, and starts anew.
"""

from collections import deque
from dataclasses import replace
from hashlib import sha256
from typing import Any

from envoy.config.core.v3 import extension_pb2
from envoy.service.discovery.v3 import discovery_pb2
from google.protobuf import any_pb2
from google.rpc import status_pb2
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.properties.test_authorization import EMPTY, IDENTITIES

from bothways.xds.authorization import refused_by
from bothways.xds.names import EXTENSION_TYPE, INBOUND, ROUTE_TYPE, WITHDRAWN_FILTER
from bothways.xds.resource import Resource
from bothways.xds.snapshot import Snapshot, withdrawn_resource
from bothways.xds.state import HubState, Identity
from bothways.xds.stream import DeltaStream
from bothways.xds.withdrawn import ahead

EVERY = frozenset(IDENTITIES)
NAMES = {EXTENSION_TYPE: WITHDRAWN_FILTER, ROUTE_TYPE: INBOUND}

one = st.sampled_from(IDENTITIES)
types_in_order = st.permutations([*NAMES])


def snapshot_of(state: HubState) -> Snapshot:
    """Return the map and the list of a state; in the map, each certificate stands on a line of its own."""
    content = "\n".join(sorted(each.uri_id for each in state.identities)).encode()
    version = sha256(content).hexdigest()[:16]
    maps = {INBOUND: Resource(INBOUND, version, any_pb2.Any(type_url=ROUTE_TYPE, value=content))}
    listed = {WITHDRAWN_FILTER: withdrawn_resource(each.uri_id for each in state.withdrawn)}
    return Snapshot(f"{version} {listed[WITHDRAWN_FILTER].version}", {EXTENSION_TYPE: listed, ROUTE_TYPE: maps})


def uri_ids(type_url: str, packed: Any) -> frozenset[str]:
    """Return the certificates in a map, or in a list."""
    if type_url == ROUTE_TYPE:
        return frozenset(packed.value.decode().split())
    return refused_by(extension_pb2.TypedExtensionConfig.FromString(packed.value).typed_config.value)


class Plane:
    """A control plane: the state as it publishes it, and the one whose maps are out."""

    def __init__(self) -> None:
        self.standing: HubState | None = None
        self.published = EMPTY

    def publish(self, state: HubState, *, follow: bool = False) -> None:
        self.published = ahead(None if follow else self.standing, state)
        if not self.published.withdrawn:
            self.standing = state


class Withdrawing(RuleBasedStateMachine):
    @initialize(present=st.sets(one), order=types_in_order)
    def begin(self, present: set[Identity], order: list[str]) -> None:
        self.state = replace(EMPTY, identities=tuple(sorted(present)))
        self.planes = (Plane(), Plane())
        self.changes = 0
        self.left = dict.fromkeys(EVERY, 0)
        self.out = set[Identity]()
        for each in self.planes:
            each.publish(self.state)
        self.restart(0, order)

    @rule(at=st.integers(0, 1), order=types_in_order)
    def restart(self, at: int, order: list[str]) -> None:
        """Begin with nothing: nobody passes before there are a map and a list."""
        self.held: dict[str, tuple[str, frozenset[str]]] = {}
        self.out_at_start = set[Identity]()
        self.refused = False
        self.connect(at, order)

    @rule(at=st.integers(0, 1), order=types_in_order)
    def connect(self, at: int, order: list[str]) -> None:
        self.plane = self.planes[at]
        self.stream = DeltaStream()
        self.requests: deque[Any] = deque()
        self.responses: deque[tuple[int, Any]] = deque()
        for type_url in order:
            name = NAMES[type_url]
            has = {name: self.held[type_url][0]} if type_url in self.held else {}
            self.requests.append(
                discovery_pb2.DeltaDiscoveryRequest(
                    type_url=type_url, resource_names_subscribe=[name], initial_resource_versions=has
                )
            )

    @rule(identity=one, follow=st.tuples(st.booleans(), st.booleans()))
    def withdraw(self, identity: Identity, follow: tuple[bool, bool]) -> None:
        self.change({*self.state.identities} - {identity}, follow)

    @rule(identity=one, follow=st.tuples(st.booleans(), st.booleans()))
    def give(self, identity: Identity, follow: tuple[bool, bool]) -> None:
        self.change({*self.state.identities, identity}, follow)

    @rule(at=st.integers(0, 1))
    def maps_follow(self, at: int) -> None:
        self.planes[at].publish(self.state, follow=True)
        self.send(self.stream.publish(snapshot_of(self.plane.published)))

    @precondition(lambda self: self.requests)
    @rule()
    def server_reads(self) -> None:
        self.send(self.stream.receive(self.requests.popleft(), snapshot_of(self.plane.published)))

    @precondition(lambda self: self.responses)
    @rule(refuses=st.sampled_from([False, False, False, True]))
    def node_reads(self, refuses: bool) -> None:  # noqa: FBT001 - hypothesis passes it by name
        _, response = self.responses.popleft()
        answer = discovery_pb2.DeltaDiscoveryRequest(type_url=response.type_url, response_nonce=response.nonce)
        if refuses:
            # A node that starts begins with what it did not refuse, however old that is: there is nothing else.
            self.refused = True
            self.out_at_start.clear()
            answer.error_detail.CopyFrom(status_pb2.Status(message="refused"))
        for each in () if refuses else response.resources:
            self.held[response.type_url] = (each.version, uri_ids(response.type_url, each.packed))
        assert not response.removed_resources
        self.requests.append(answer)

    @rule()
    def quiet(self) -> None:
        """Once maps have followed, all is read, and nothing is refused, exactly those pass who may."""
        self.maps_follow(self.planes.index(self.plane))
        for _ in range(20):
            while self.requests:
                self.server_reads()
                self.not_again()
            while self.responses:
                self.node_reads(refuses=False)
                self.not_again()
        assert not self.requests
        if not self.stream.refusals:
            assert self.passing() == {*self.state.identities}
            assert self.held[EXTENSION_TYPE][1] == frozenset()
        assert self.stream.publish(snapshot_of(self.plane.published)) == []

    @invariant()
    def not_again(self) -> None:
        """Whoever was seen refused after the last change of theirs was sent stays refused."""
        passing = self.passing()
        assert not (self.out | self.out_at_start) & passing
        sent = min((change for change, _ in self.responses), default=self.changes)
        absent = EVERY - {*self.state.identities}
        found = {each for each in absent - passing if self.left[each] <= sent}
        if len(self.held) == len(NAMES):
            self.out |= found
        elif not self.refused:
            self.out_at_start |= found

    def teardown(self) -> None:
        self.quiet()

    def change(self, present: set[Identity], follow: tuple[bool, bool]) -> None:
        self.changes += 1
        before = {*self.state.identities}
        self.left |= dict.fromkeys(before - present, self.changes)
        self.out -= present
        self.out_at_start -= present
        self.state = replace(self.state, identities=tuple(sorted(present)))
        for plane, now in zip(self.planes, follow, strict=True):
            plane.publish(self.state, follow=now)
        self.send(self.stream.publish(snapshot_of(self.plane.published)))

    def send(self, responses: list[Any]) -> None:
        self.responses.extend((self.changes, each) for each in responses)

    def passing(self) -> set[Identity]:
        """Return who gets through at the node now."""
        if len(self.held) < len(NAMES):
            return set()
        listed, maps = (self.held[each][1] for each in NAMES)
        return {each for each in EVERY if each.uri_id in maps - listed}


def test_nobody_who_was_refused_is_let_in_again_whatever_the_order() -> None:
    steps = settings(
        max_examples=150, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    run_state_machine_as_test(Withdrawing, settings=steps)
