"""What an Envoy has confirmed, read off its stream. For any order of messages: `properties/test_delta_xds.py`."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from envoy.service.discovery.v3 import discovery_pb2
from google.rpc import status_pb2

from bothways.xds import names
from bothways.xds.followed import Followed
from bothways.xds.names import CLUSTER_TYPE, EXTENSION_TYPE, LISTENER_TYPE, PUSH_ORDER, ROUTE_TYPE, SECRET_TYPE
from bothways.xds.passing import APART_SECONDS, Passing
from bothways.xds.resource import Resource
from bothways.xds.snapshot import Snapshot, build_snapshot
from bothways.xds.state import HubState
from bothways.xds.stream import DeltaStream

NAMED = {
    EXTENSION_TYPE: ["bothways.withdrawn"],
    ROUTE_TYPE: ["inbound", "egress", "probe"],
    SECRET_TYPE: ["server-certificate", "customer-trust"],
}


class Node:
    """An Envoy's side of a stream through which `followed` reads; `refuses` names what it takes in no version."""

    def __init__(self, followed: Followed, refuses: Sequence[str] = ()) -> None:
        self.followed = followed
        self.stream = DeltaStream()
        self.refuses = set(refuses)

    def ask(self, snapshot: Snapshot, kind: str, *named: str, known: dict[str, str] | None = None) -> None:
        self.say(
            snapshot,
            discovery_pb2.DeltaDiscoveryRequest(
                type_url=kind, resource_names_subscribe=named, initial_resource_versions=known or {}
            ),
        )

    def start(self, snapshot: Snapshot) -> None:
        self.ask(snapshot, CLUSTER_TYPE)
        self.ask(snapshot, LISTENER_TYPE)
        for kind, named in NAMED.items():
            self.ask(snapshot, kind, *named)

    def publish(self, snapshot: Snapshot) -> None:
        self.answer(snapshot, self.stream.publish(snapshot))

    def say(self, snapshot: Snapshot, request: Any) -> None:
        self.followed.request(request)
        self.answer(snapshot, self.stream.receive(request, snapshot))

    def answer(self, snapshot: Snapshot, responses: list[Any]) -> None:
        for response in responses:
            self.followed.response(response.message())
        for response in responses:
            answer = discovery_pb2.DeltaDiscoveryRequest(type_url=response.type_url, response_nonce=response.nonce)
            if self.refuses & {each.name for each in response.resources}:
                answer.error_detail.CopyFrom(status_pb2.Status(message="refused"))
            self.say(snapshot, answer)


def served(snapshot: Snapshot, *on_demand: str) -> dict[str, dict[str, Resource]]:
    """Return what an Envoy that starts is given: all but what is on demand."""
    return {
        kind: {name: each for name, each in snapshot.of(kind).items() if not names.on_demand(name) or name in on_demand}
        for kind in PUSH_ORDER
    }


def test_what_an_envoy_that_starts_has_confirmed_is_whole_at_the_end_and_not_before(state: HubState) -> None:
    snapshot, followed = build_snapshot(state), Followed()
    node = Node(followed)
    seen = [followed.whole()]
    node.ask(snapshot, CLUSTER_TYPE)
    seen.append(followed.whole())
    node.ask(snapshot, LISTENER_TYPE)
    seen.append(followed.whole())
    node.ask(snapshot, ROUTE_TYPE, *NAMED[ROUTE_TYPE])
    seen.append(followed.whole())
    node.ask(snapshot, SECRET_TYPE, "server-certificate")
    seen.append(followed.whole())
    node.ask(snapshot, SECRET_TYPE, "customer-trust")
    seen.append(followed.whole())
    node.ask(snapshot, EXTENSION_TYPE, "bothways.withdrawn")
    assert seen == [False] * 6
    assert followed.whole()
    taken = followed.take()
    assert taken is not None
    assert (taken.version, taken.resources) == (snapshot.version, served(snapshot))
    assert followed.take() is None
    followed.not_kept()
    again = followed.take()
    assert again == taken


def test_what_was_sent_and_not_answered_is_not_in_it(state: HubState) -> None:
    snapshot, followed = build_snapshot(state), Followed()
    node = Node(followed)
    node.start(snapshot)
    for response in node.stream.publish(build_snapshot(replace(state, identities=()))):
        followed.response(response.message())
    assert not followed.whole()


def test_what_is_refused_is_not_in_it_and_the_last_good_one_is(state: HubState) -> None:
    first, later = build_snapshot(state), build_snapshot(replace(state, identities=()))
    followed = Followed()
    node = Node(followed)
    node.start(first)
    base = followed.take()
    node.refuses = {"inbound"}
    node.publish(later)
    assert followed.whole()
    taken = followed.take()
    assert taken is not None
    assert taken.of(ROUTE_TYPE)["inbound"] == first.of(ROUTE_TYPE)["inbound"] != later.of(ROUTE_TYPE)["inbound"]
    # An Envoy that starts anew and refuses it too has none; what was good is kept for the one after it.
    again = Followed(base)
    Node(again, ["inbound"]).start(later)
    assert again.whole()
    kept = again.take()
    assert kept is not None
    assert kept.of(ROUTE_TYPE)["inbound"] == first.of(ROUTE_TYPE)["inbound"]


def test_what_is_there_for_a_probe_is_not_in_it_and_nothing_is_saved_anew_for_it(state: HubState) -> None:
    base, followed = build_snapshot(state), Followed()
    passing = Passing(base, -APART_SECONDS)
    assert passing.end(0.0)
    node = Node(followed)
    node.start(base)
    saved = followed.take()
    passing.probe(state.customers[0].tsp_id, 0.0)
    probed = passing.snapshot()
    node.publish(probed)
    assert (followed.whole(), followed.take()) == (True, None)
    # Also where the node came while somebody was probed, and where nobody here has seen what it has.
    new = Followed()
    Node(new).start(probed)
    again = Node(Followed(saved))
    for kind, named in ((CLUSTER_TYPE, []), (LISTENER_TYPE, []), *NAMED.items()):
        known = {name: each.version for name, each in probed.of(kind).items() if not names.on_demand(name)}
        again.ask(probed, kind, *named, known=known)
    for each in (new, again.followed):
        assert each.whole()
        taken = each.take()
        assert taken is not None
        assert taken.resources == served(base)


def test_an_endpoint_that_is_shut_is_shut_in_what_is_saved(state: HubState) -> None:
    first, shut = build_snapshot(state), build_snapshot(replace(state, shut="a stranger was let in", closures=1))
    followed = Followed()
    node = Node(followed)
    node.start(first)
    base = followed.take()
    node.publish(shut)
    assert followed.whole()
    running = followed.take()
    # And for an Envoy that starts then, which asks for no certificate.
    node = Node(Followed(base))
    node.ask(shut, CLUSTER_TYPE)
    node.ask(shut, LISTENER_TYPE)
    node.ask(shut, ROUTE_TYPE, "egress", "probe")
    assert node.followed.whole()
    for taken in (running, node.followed.take()):
        assert taken is not None
        assert taken.of(LISTENER_TYPE).keys() == {"egress", "probe"}


def test_an_envoy_that_comes_back_says_by_versions_what_it_has(state: HubState) -> None:
    snapshot, first = build_snapshot(state), Followed()
    Node(first).start(snapshot)
    base = first.take()
    # A stream that breaks before the node has said much.
    broken = Followed(base, first)
    Node(broken).ask(snapshot, CLUSTER_TYPE)
    versions = {
        kind: {name: each.version for name, each in snapshot.of(kind).items() if not names.on_demand(name)}
        for kind in PUSH_ORDER
    }
    for again in (Followed(base, broken), Followed(None, broken)):
        node = Node(again)
        for kind in (CLUSTER_TYPE, LISTENER_TYPE):
            node.ask(snapshot, kind, "*", known=versions[kind])
        for kind, named in NAMED.items():
            node.ask(snapshot, kind, *named, known=versions[kind])
        assert again.whole()
        taken = again.take()
        assert taken is not None
        assert taken.resources == served(snapshot)


def as_read_back(snapshot: Snapshot) -> Snapshot:
    """Return the snapshot as it is when it was saved and read back: what is on demand stands apart."""

    def part(of_type: Mapping[str, Resource], *, on_demand: bool) -> dict[str, Resource]:
        return {name: each for name, each in of_type.items() if names.on_demand(name) is on_demand}

    own, apart = (
        {kind: part(of_type, on_demand=each) for kind, of_type in snapshot.resources.items()} for each in (False, True)
    )
    assert any(apart.values())
    return replace(snapshot, resources=own, on_demand=apart)


@pytest.mark.parametrize("led_to", [True, False])
def test_a_server_that_was_called_once_stays_for_as_long_as_calls_are_led_to_it(
    state: HubState, *, led_to: bool
) -> None:
    snapshot, followed = build_snapshot(state), Followed()
    node = Node(followed)
    node.start(snapshot)
    [cluster] = [each for each in snapshot.of(CLUSTER_TYPE) if each.startswith("customer/12345678/")]
    secret = names.client_certificate("12345678")
    node.ask(snapshot, CLUSTER_TYPE, cluster)
    node.ask(snapshot, SECRET_TYPE, secret)
    base = followed.take()
    assert base is not None
    assert base.resources == served(snapshot, cluster, secret)
    now = snapshot if led_to else build_snapshot(replace(state, customers=()))
    # Another Envoy, which nobody had call the customer yet.
    fresh = Followed(as_read_back(base))
    Node(fresh).start(now)
    assert fresh.whole()
    taken = fresh.take()
    assert taken is not None
    assert taken.resources == served(now, *([cluster, secret] if led_to else []))
    # And what the hub takes away itself is gone at once.
    node.publish(build_snapshot(replace(state, customers=())))
    gone = followed.take()
    assert gone is not None
    assert [each for each in gone.of(CLUSTER_TYPE) if names.on_demand(each)] == []


def test_what_is_on_demand_is_in_it_by_the_second_stream_and_when_that_breaks(state: HubState) -> None:
    snapshot, followed = build_snapshot(state), Followed()
    node = Node(followed)
    node.start(snapshot)
    called, other = sorted(each for each in snapshot.of(CLUSTER_TYPE) if names.customer_of(each))[:2]
    node.ask(snapshot, names.ON_DEMAND_TYPE, called)
    taken = followed.take()
    assert taken is not None
    assert taken.resources == served(snapshot, called)
    # It breaks with an answer under way, which is not waited for; the node has what it had, and says so.
    followed.response(node.stream.receive(asked(other), snapshot)[0].message())
    assert not followed.whole()
    node.stream.end_on_demand()
    followed.end_on_demand()
    assert followed.whole()
    known = {name: snapshot.of(CLUSTER_TYPE)[name].version for name in (called, other)}
    node.ask(snapshot, names.ON_DEMAND_TYPE, called, other, known=known)
    again = followed.take()
    assert again is not None
    assert again.resources == served(snapshot, called, other)


def asked(name: str) -> Any:
    return discovery_pb2.DeltaDiscoveryRequest(type_url=names.ON_DEMAND_TYPE, resource_names_subscribe=[name])


def test_what_was_refused_as_a_part_of_more_is_known_again_when_the_node_says_that_it_has_it(state: HubState) -> None:
    snapshot, followed = build_snapshot(state), Followed()
    node = Node(followed)
    for kind in (CLUSTER_TYPE, LISTENER_TYPE):
        request = discovery_pb2.DeltaDiscoveryRequest(type_url=kind)
        followed.request(request)
        [response] = node.stream.receive(request, snapshot)
        followed.response(response.message())
        refusal = discovery_pb2.DeltaDiscoveryRequest(type_url=kind, response_nonce=response.nonce)
        refusal.error_detail.CopyFrom(status_pb2.Status(message="one of them"))
        followed.request(refusal)
    # The stream breaks before it comes again in halves: Envoy has taken in what is good.
    good = served(snapshot)
    again = Followed(before=followed)
    node = Node(again)
    for kind in (CLUSTER_TYPE, LISTENER_TYPE):
        node.ask(snapshot, kind, known={name: each.version for name, each in good[kind].items()})
    for kind, named in NAMED.items():
        node.ask(snapshot, kind, *named)
    taken = again.take()
    assert taken is not None
    assert taken.resources == good
