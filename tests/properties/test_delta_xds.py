"""Delta xDS in any order: a node as the protocol describes it, a server, and the queues of messages between them.

The node has two streams, of which the second, for what is on demand, breaks by itself or with the first.

The node keeps its resources when the stream breaks, and says with `initial_resource_versions` what it has. Messages
may lie in the queues while either side goes on; each rule is one thing that can happen.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

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

from bothways.xds.followed import Followed
from bothways.xds.names import (
    CLUSTER_TYPE,
    LISTENER_TYPE,
    ON_DEMAND_TYPE,
    PUSH_ORDER,
    ROUTE_TYPE,
    of_one_customer,
    on_demand,
)
from bothways.xds.resource import Resource
from bothways.xds.snapshot import Snapshot
from bothways.xds.stream import DeltaStream

NAMES = ("a", "b", "c", "customer/x/1", "customer/x/2")
BAD = "bad"
KINDS = (*PUSH_ORDER, ON_DEMAND_TYPE)
CLUSTERS = {CLUSTER_TYPE, ON_DEMAND_TYPE}

one_type = st.sampled_from(PUSH_ORDER)
one_kind = st.sampled_from(KINDS)
one_name = st.sampled_from(NAMES)


@dataclass
class Node:
    """What a node wants and holds of one type."""

    wildcard: bool
    named: set[str] = field(default_factory=set)
    held: dict[str, str] = field(default_factory=dict)

    def wants(self, name: str) -> bool:
        return name in self.named or (self.wildcard and not on_demand(name))


class DeltaXds(RuleBasedStateMachine):
    @initialize(whole=st.booleans())
    def begin(self, whole: bool) -> None:  # noqa: FBT001 - hypothesis passes it by name
        # The protocol lets a node apply what is good of a response that it refuses (as Envoy does), or none of it.
        self.refuses_whole = whole
        self.snapshot = Snapshot("0", {})
        self.published: set[tuple[str, str, str]] = set()
        # What the node held when all was quiet, as long as nothing good came after it and nothing was given up.
        self.last_good: dict[tuple[str, str], str] = {}
        self.count = 0
        self.followed = Followed()
        self.node = {each: Node(wildcard=each in {CLUSTER_TYPE, LISTENER_TYPE}) for each in KINDS}
        self.connect()

    @rule()
    def connect(self) -> None:
        self.stream = DeltaStream()
        self.followed = Followed(before=self.followed)
        self.sent: dict[str, dict[str, str]] = {each: {} for each in KINDS}
        # By whether they go by the second stream.
        self.requests: dict[bool, deque[Any]] = {False: deque(), True: deque()}
        self.responses: dict[bool, deque[Any]] = {False: deque(), True: deque()}
        self.brought: dict[str, list[str]] = {}
        self.asked: set[str] = set()
        for type_url, each in self.node.items():
            if each.wildcard or each.named:
                self.request(type_url, {*each.named, *(["*"] if each.wildcard and each.named else [])})

    @rule()
    def connect_the_second_again(self) -> None:
        self.stream.end_on_demand()
        self.followed.end_on_demand()
        self.requests[True].clear()
        self.responses[True].clear()
        self.sent[ON_DEMAND_TYPE].clear()
        self.asked.discard(ON_DEMAND_TYPE)
        if named := self.node[ON_DEMAND_TYPE].named:
            self.request(ON_DEMAND_TYPE, set(named))

    @rule(type_url=one_type, name=one_name, good=st.booleans())
    def publish_one(self, type_url: str, name: str, good: bool) -> None:  # noqa: FBT001 - as above
        self.count += 1
        version = f"{'good' if good else BAD}{self.count}"
        self.publish(type_url, {**self.versions(type_url), name: version})

    @rule(type_url=one_type, versions=st.dictionaries(one_name, st.booleans()))
    def publish_many(self, type_url: str, versions: dict[str, bool]) -> None:
        self.count += 1
        fresh = {name: f"{'good' if good else BAD}{self.count}" for name, good in versions.items()}
        self.publish(type_url, fresh)

    @rule(type_url=one_type, name=one_name)
    def remove(self, type_url: str, name: str) -> None:
        self.publish(type_url, {key: value for key, value in self.versions(type_url).items() if key != name})

    @rule(type_url=one_kind, names=st.sets(one_name, min_size=1))
    def subscribe(self, type_url: str, names: set[str]) -> None:
        if type_url == ON_DEMAND_TYPE:
            names = {each for each in names if on_demand(each)}
            if not names:
                return
        self.node[type_url].named |= names
        # A first request always says everything that is wanted.
        first = type_url not in self.asked and self.node[type_url].wildcard
        self.request(type_url, {*self.node[type_url].named, "*"} if first else names)

    @rule(type_url=one_kind, names=st.sets(one_name, min_size=1))
    def unsubscribe(self, type_url: str, names: set[str]) -> None:
        each = self.node[type_url]
        names &= each.named
        each.named -= names
        if names:
            self.last_good.clear()
            # Under a wildcard the node keeps what it gave up by name until the server says more.
            each.held = {name: version for name, version in each.held.items() if each.wants(name)}
            self.request(type_url, set(), names)

    @precondition(lambda self: self.node[CLUSTER_TYPE].wildcard)
    @rule()
    def give_up_the_wildcard(self) -> None:
        each = self.node[CLUSTER_TYPE]
        self.last_good.clear()
        each.wildcard = False
        each.held = {name: version for name, version in each.held.items() if each.wants(name)}
        self.request(CLUSTER_TYPE, set(), {"*"})

    @precondition(lambda self: not self.node[CLUSTER_TYPE].wildcard)
    @rule()
    def take_the_wildcard(self) -> None:
        self.node[CLUSTER_TYPE].wildcard = True
        first = CLUSTER_TYPE not in self.asked
        self.request(CLUSTER_TYPE, {"*", *self.node[CLUSTER_TYPE].named} if first else {"*"})

    @rule(second=st.booleans())
    def server_reads(self, second: bool) -> None:  # noqa: FBT001 - as above
        if not self.requests[second]:
            return
        request = self.requests[second].popleft()
        self.followed.request(request)
        for name in (*request.resource_names_subscribe, *request.resource_names_unsubscribe):
            self.sent[request.type_url].pop(name, None)
        if "*" in request.resource_names_unsubscribe:
            self.sent[request.type_url].clear()
        brought = self.brought.pop(request.response_nonce, [])
        if request.HasField("error_detail") and len(brought) > 1:
            # Nobody knows which of them was bad, so each may come once more; one that was refused alone may not.
            for name in brought:
                self.sent[request.type_url].pop(name, None)
        self.send(self.stream.receive(request, self.snapshot))

    @rule(second=st.booleans())
    def node_reads(self, second: bool) -> None:  # noqa: FBT001 - as above
        if not self.responses[second]:
            return
        response = self.responses[second].popleft()
        self.followed.response(response.message())
        each = self.node[response.type_url]
        wanted = {one.name: one.version for one in response.resources if each.wants(one.name)}
        bad = sorted(name for name, version in wanted.items() if version.startswith(BAD))
        if not (bad and self.refuses_whole):
            each.held |= {name: version for name, version in wanted.items() if name not in bad}
            for name in response.removed_resources:
                each.held.pop(name, None)
        answer = discovery_pb2.DeltaDiscoveryRequest(type_url=response.type_url, response_nonce=response.nonce)
        if bad:
            answer.error_detail.CopyFrom(status_pb2.Status(message=f"refused: {bad}"))
        self.requests[second].append(answer)

    @rule()
    def quiet(self) -> None:
        """Let both sides read everything: the node ends with exactly the last good versions, and nothing more comes."""
        for _ in range(200):
            if not any((*self.requests.values(), *self.responses.values())):
                break
            for second in (False, True):
                while self.requests[second]:
                    self.server_reads(second)
                while self.responses[second]:
                    self.node_reads(second)
        assert not any(self.requests.values())
        bad_kinds = set()
        for type_url, each in self.node.items():
            offered = {name: version for name, version in self.versions(type_url).items() if each.wants(name)}
            good = {name: version for name, version in offered.items() if not version.startswith(BAD)}
            kept = self.kept(type_url) if type_url in CLUSTERS else {}
            open_to_the_node = offered.keys() - good | kept.keys()
            assert {name: version for name, version in each.held.items() if name not in open_to_the_node} == good
            # What is bad now may be held in a version that was good.
            assert all((type_url, name, version) in self.published for name, version in each.held.items())
            assert not any(version.startswith(BAD) for version in each.held.values())
            # The last good one, and no other: what was refused neither took it away nor brought an older one back.
            for name in offered.keys() - good:
                assert each.held.get(name) == self.last_good.get((type_url, name), each.held.get(name))
            self.last_good |= {(type_url, name): version for name, version in each.held.items()}
            if good != offered:
                bad_kinds.add(CLUSTER_TYPE if type_url == ON_DEMAND_TYPE else type_url)
        assert self.stream.refusals.keys() == bad_kinds
        # Whoever reads along knows what the node has.
        if self.followed.whole() and (read := self.followed.take()):
            held = {kind: self.node[kind].held for kind in PUSH_ORDER}
            held[CLUSTER_TYPE] = held[CLUSTER_TYPE] | self.node[ON_DEMAND_TYPE].held
            assert {kind: {name: one.version for name, one in read.of(kind).items()} for kind in PUSH_ORDER} == held
        assert self.stream.publish(self.snapshot) == []
        assert self.stream.settled(self.snapshot) == all(self.complete(each) for each in PUSH_ORDER)
        needed = [name for each in self.node for name in self.lacking(each) if not of_one_customer(name)]
        assert bool(self.stream.refused_by_need) == bool(needed)

    @invariant()
    def a_node_holds_nothing_that_it_does_not_want(self) -> None:
        for each in self.node.values():
            assert [name for name in each.held if not each.wants(name)] == []

    def teardown(self) -> None:
        self.quiet()

    def kept(self, type_url: str) -> dict[str, str]:
        """What is taken away from the node only when it has the routes: it is called by those that it has."""
        held, offered = self.node[type_url].held, self.versions(CLUSTER_TYPE)
        gone = {name: version for name, version in held.items() if on_demand(name) and name not in offered}
        return {} if self.complete(ROUTE_TYPE) else gone

    def complete(self, type_url: str) -> bool:
        """Whether the node has all that it cannot do without, and nothing else."""
        each, versions = self.node[type_url], self.versions(type_url)
        needed = {name: version for name, version in versions.items() if each.wants(name) or not on_demand(name)}
        bad = self.lacking(type_url)
        differ = {name for name, _ in each.held.items() ^ needed.items()}
        clusters = type_url == CLUSTER_TYPE
        return type_url in self.asked and all((clusters or name in bad) and of_one_customer(name) for name in differ)

    def lacking(self, type_url: str) -> set[str]:
        """What the node wants and refuses."""
        versions = self.versions(type_url)
        return {name for name in versions if self.node[type_url].wants(name) and versions[name].startswith(BAD)}

    def versions(self, type_url: str) -> dict[str, str]:
        return {name: resource.version for name, resource in self.snapshot.of(type_url).items()}

    def publish(self, type_url: str, versions: dict[str, str]) -> None:
        packed = any_pb2.Any(type_url=type_url)
        resources = {name: Resource(name, version, packed) for name, version in versions.items()}
        # Some of what is on demand stands among all others, as a cluster does that was replaced.
        apart = {name: each for name, each in resources.items() if on_demand(name) and self.count % 3}
        own = {name: each for name, each in resources.items() if name not in apart}
        self.snapshot = Snapshot(
            str(self.count),
            {**self.snapshot.resources, type_url: own},
            on_demand={**self.snapshot.on_demand, type_url: apart},
        )
        for kind in CLUSTERS if type_url == CLUSTER_TYPE else {type_url}:
            for name in NAMES:
                # After a good version, or none, on offer, what the node ends with is open until all is quiet again.
                if not versions.get(name, "").startswith(BAD):
                    self.last_good.pop((kind, name), None)
            self.published |= {(kind, name, version) for name, version in versions.items()}
        self.send(self.stream.publish(self.snapshot))

    def request(self, type_url: str, added: set[str], removed: frozenset[str] | set[str] = frozenset()) -> None:
        first = type_url not in self.asked
        self.asked.add(type_url)
        self.requests[type_url == ON_DEMAND_TYPE].append(
            discovery_pb2.DeltaDiscoveryRequest(
                type_url=type_url,
                resource_names_subscribe=sorted(added),
                resource_names_unsubscribe=sorted(removed),
                initial_resource_versions=self.node[type_url].held if first else {},
            )
        )

    def send(self, responses: list[Any]) -> None:
        breaks = [bool(each.removed_resources and not each.resources) for each in responses]
        assert breaks == sorted(breaks), "a removal went before something new"
        for response in responses:
            held = self.node[response.type_url].held if response.type_url in CLUSTERS else {}
            taken = any(on_demand(name) and name in held for name in response.removed_resources)
            # What the node asks of its routes, and the server has not read yet, it cannot know.
            under_way = (each.type_url for queue in self.requests.values() for each in queue)
            if taken and not {*CLUSTERS, ROUTE_TYPE} & {*under_way}:
                assert self.complete(ROUTE_TYPE), "a cluster went before the routes that lead to it"
            self.brought[response.nonce] = [*(one.name for one in response.resources), *response.removed_resources]
            for one in response.resources:
                assert self.sent[response.type_url].get(one.name) != one.version, "unchanged, and sent again"
                self.sent[response.type_url][one.name] = one.version
            for name in response.removed_resources:
                self.sent[response.type_url].pop(name, None)
        for response in responses:
            self.responses[response.type_url == ON_DEMAND_TYPE].append(response)


def test_a_node_ends_with_the_last_good_version_whatever_the_order() -> None:
    steps = settings(
        max_examples=150, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    run_state_machine_as_test(DeltaXds, settings=steps)
