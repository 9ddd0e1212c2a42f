"""Scripts: what a node asks, says or hears, line by line. For any order: `properties/test_delta_xds.py`."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from envoy.service.discovery.v3 import discovery_pb2
from google.protobuf import any_pb2
from google.rpc import status_pb2

from bothways.xds.names import (
    CLUSTER_TYPE,
    EXTENSION_TYPE,
    LISTENER_TYPE,
    ON_DEMAND_TYPE,
    PUSH_ORDER,
    ROUTE_TYPE,
    SECRET_TYPE,
    WITHDRAWN_FILTER,
    client_certificate,
)
from bothways.xds.resource import Resource
from bothways.xds.snapshot import Snapshot, withdrawn_resource
from bothways.xds.stream import DeltaStream

Making = Callable[[dict[str, dict[str, str]]], Snapshot]


def ask(
    type_url: str,
    *names: str,
    drop: tuple[str, ...] = (),
    known: dict[str, str] | None = None,
    nonce: str = "",
    error: str | None = None,
) -> Any:
    return discovery_pb2.DeltaDiscoveryRequest(
        type_url=type_url,
        resource_names_subscribe=names,
        resource_names_unsubscribe=drop,
        initial_resource_versions=known or {},
        response_nonce=nonce,
        error_detail=None if error is None else status_pb2.Status(message=error),
    )


def acknowledge(response: Any) -> Any:
    return ask(response.type_url, nonce=response.nonce)


def refuse(response: Any, error: str = "bad") -> Any:
    return ask(response.type_url, nonce=response.nonce, error=error)


def said(responses: list[Any]) -> list[tuple[str, dict[str, str], list[str]]]:
    """Return the responses as (type, versions by name, names removed)."""
    return [
        (each.type_url, {one.name: one.version for one in each.resources}, list(each.removed_resources))
        for each in responses
    ]


def test_a_wildcard_is_answered_with_everything_of_the_type(make_snapshot: Making) -> None:
    snapshot = make_snapshot({CLUSTER_TYPE: {"a": "1", "b": "1"}, LISTENER_TYPE: {"l": "1"}})
    [response] = DeltaStream().receive(ask(CLUSTER_TYPE), snapshot)
    assert response.message() == discovery_pb2.DeltaDiscoveryResponse(
        system_version_info=snapshot.version,
        type_url=CLUSTER_TYPE,
        nonce="1",
        resources=[
            discovery_pb2.Resource(name=each.name, version=each.version, resource=each.packed)
            for each in snapshot.of(CLUSTER_TYPE).values()
        ],
    )


@pytest.mark.parametrize("names", [(), ("*",)])
def test_an_empty_wildcard_is_answered_once_so_that_a_start_does_not_wait(
    make_snapshot: Making, names: tuple[str, ...]
) -> None:
    stream, empty = DeltaStream(), make_snapshot({})
    [response] = stream.receive(ask(CLUSTER_TYPE, *names), empty)
    assert said([response]) == [(CLUSTER_TYPE, {}, [])]
    assert stream.receive(acknowledge(response), empty) == []
    assert stream.publish(empty) == []


def test_a_wildcard_asked_for_after_names_is_answered_even_if_it_adds_nothing(make_snapshot: Making) -> None:
    stream, snapshot = DeltaStream(), make_snapshot({CLUSTER_TYPE: {"a": "1"}})
    stream.receive(ask(CLUSTER_TYPE, "a"), snapshot)
    assert said(stream.receive(ask(CLUSTER_TYPE, "*"), snapshot)) == [(CLUSTER_TYPE, {}, [])]


@pytest.mark.parametrize("type_url", [SECRET_TYPE, ROUTE_TYPE])
def test_asking_for_no_names_is_a_wildcard_for_clusters_and_listeners_only(
    make_snapshot: Making, type_url: str
) -> None:
    # xDS protocol, "How the client specifies what resources to return": other types must be named.
    assert DeltaStream().receive(ask(type_url), make_snapshot({type_url: {"a": "1"}})) == []


def test_names_are_answered_with_those_alone_and_a_missing_one_is_told_as_removed(make_snapshot: Making) -> None:
    stream, snapshot = DeltaStream(), make_snapshot({SECRET_TYPE: {"a": "1", "b": "1"}})
    assert said(stream.receive(ask(SECRET_TYPE, "a", "z"), snapshot)) == [(SECRET_TYPE, {"a": "1"}, ["z"])]
    assert stream.publish(make_snapshot({SECRET_TYPE: {"a": "1", "b": "2"}})) == []
    later = make_snapshot({SECRET_TYPE: {"a": "1", "b": "2", "z": "1"}})
    assert said(stream.publish(later)) == [(SECRET_TYPE, {"z": "1"}, [])]


def test_more_names_are_answered_with_the_new_ones_only(make_snapshot: Making) -> None:
    stream, snapshot = DeltaStream(), make_snapshot({SECRET_TYPE: {"a": "1", "b": "1"}})
    stream.receive(ask(SECRET_TYPE, "a"), snapshot)
    assert said(stream.receive(ask(SECRET_TYPE, "b"), snapshot)) == [(SECRET_TYPE, {"b": "1"}, [])]


def test_a_name_asked_for_again_is_sent_again(make_snapshot: Making) -> None:
    stream, snapshot = DeltaStream(), make_snapshot({SECRET_TYPE: {"a": "1"}})
    stream.receive(ask(SECRET_TYPE, "a"), snapshot)
    assert said(stream.receive(ask(SECRET_TYPE, "a"), snapshot)) == [(SECRET_TYPE, {"a": "1"}, [])]


def test_only_what_changed_is_sent_and_once(make_snapshot: Making) -> None:
    stream = DeltaStream()
    stream.receive(ask(CLUSTER_TYPE), make_snapshot({CLUSTER_TYPE: {"a": "1", "b": "1"}}))
    changed = make_snapshot({CLUSTER_TYPE: {"a": "1", "b": "2"}})
    assert said(stream.publish(changed)) == [(CLUSTER_TYPE, {"b": "2"}, [])]
    assert stream.publish(changed) == []


def test_an_acknowledgement_is_not_answered(make_snapshot: Making) -> None:
    stream, snapshot = DeltaStream(), make_snapshot({CLUSTER_TYPE: {"a": "1"}})
    [response] = stream.receive(ask(CLUSTER_TYPE), snapshot)
    assert stream.receive(acknowledge(response), snapshot) == []


def test_makes_come_before_breaks_each_in_its_order(make_snapshot: Making) -> None:
    stream = DeltaStream()
    before = make_snapshot({type_url: {"old": "1", "kept": "1"} for type_url in PUSH_ORDER})
    for type_url in PUSH_ORDER:
        stream.receive(ask(type_url, "*"), before)
    after = make_snapshot({type_url: {"kept": "2", "new": "1"} for type_url in PUSH_ORDER})
    assert said(stream.publish(after)) == [
        *((type_url, {"kept": "2", "new": "1"}, []) for type_url in PUSH_ORDER),
        *((type_url, {}, ["old"]) for type_url in reversed(PUSH_ORDER)),
    ]


def test_a_node_that_comes_back_is_sent_only_what_changed_meanwhile(make_snapshot: Making) -> None:
    snapshot = make_snapshot({CLUSTER_TYPE: {"same": "1", "changed": "2", "new": "1"}})
    known = {"same": "1", "changed": "1", "gone": "1"}
    assert said(DeltaStream().receive(ask(CLUSTER_TYPE, known=known), snapshot)) == [
        (CLUSTER_TYPE, {"changed": "2", "new": "1"}, []),
        (CLUSTER_TYPE, {}, ["gone"]),
    ]


def test_a_node_that_comes_back_and_names_what_it_knows_is_not_sent_it_again(make_snapshot: Making) -> None:
    stream, snapshot = DeltaStream(), make_snapshot({SECRET_TYPE: {"a": "1", "b": "1"}})
    returned = ask(SECRET_TYPE, "a", "b", "gone", known={"a": "1", "gone": "1"})
    assert said(stream.receive(returned, snapshot)) == [(SECRET_TYPE, {"b": "1"}, ["gone"])]


def test_what_was_unsubscribed_is_not_sent_any_more(make_snapshot: Making) -> None:
    stream = DeltaStream()
    stream.receive(ask(SECRET_TYPE, "a", "b"), make_snapshot({SECRET_TYPE: {"a": "1", "b": "1"}}))
    changed = make_snapshot({SECRET_TYPE: {"a": "2"}})
    assert stream.receive(ask(SECRET_TYPE, drop=("a", "b")), changed) == []
    assert stream.publish(changed) == []


def test_a_name_unsubscribed_under_a_wildcard_is_told_at_once_because_the_node_cannot_know(
    make_snapshot: Making,
) -> None:
    stream, snapshot = DeltaStream(), make_snapshot({CLUSTER_TYPE: {"a": "1"}})
    stream.receive(ask(CLUSTER_TYPE, "*", "a", "z"), snapshot)
    assert said(stream.receive(ask(CLUSTER_TYPE, drop=("a", "z")), snapshot)) == [(CLUSTER_TYPE, {"a": "1"}, ["z"])]


def test_a_wildcard_given_up_and_taken_again_is_sent_again(make_snapshot: Making) -> None:
    stream, snapshot = DeltaStream(), make_snapshot({CLUSTER_TYPE: {"a": "1", "kept": "1"}})
    stream.receive(ask(CLUSTER_TYPE, "*", "kept"), snapshot)
    assert stream.receive(ask(CLUSTER_TYPE, drop=("*",)), snapshot) == []
    assert stream.publish(make_snapshot({CLUSTER_TYPE: {"kept": "1"}})) == []
    assert said(stream.receive(ask(CLUSTER_TYPE, "*"), snapshot)) == [(CLUSTER_TYPE, {"a": "1"}, [])]


def test_what_was_under_way_when_a_wildcard_was_given_up_is_told_when_it_is_taken_again(
    make_snapshot: Making,
) -> None:
    stream = DeltaStream()
    stream.receive(ask(CLUSTER_TYPE), make_snapshot({}))
    stream.publish(make_snapshot({CLUSTER_TYPE: {"a": "1"}}))
    stream.receive(ask(CLUSTER_TYPE, drop=("*",)), make_snapshot({CLUSTER_TYPE: {"a": "1"}}))
    assert said(stream.receive(ask(CLUSTER_TYPE, "*"), make_snapshot({})))[-1] == (CLUSTER_TYPE, {}, ["a"])


def test_the_node_is_known_by_the_id_that_it_sends_once(make_snapshot: Making) -> None:
    stream, snapshot = DeltaStream(), make_snapshot({})
    first = ask(CLUSTER_TYPE)
    first.node.id = "ppr-1"
    stream.receive(first, snapshot)
    stream.receive(ask(LISTENER_TYPE), snapshot)
    assert stream.node_id == "ppr-1"


def test_it_is_settled_when_everything_of_every_type_is_confirmed_and_not_before(make_snapshot: Making) -> None:
    stream = DeltaStream()
    snapshot = make_snapshot({type_url: {"a": "1"} for type_url in PUSH_ORDER})
    sent = [response for type_url in PUSH_ORDER for response in stream.receive(ask(type_url, "a"), snapshot)]
    for response in sent:
        assert not stream.settled(snapshot)
        stream.receive(acknowledge(response), snapshot)
    assert stream.settled(snapshot)
    assert not stream.settled(make_snapshot({type_url: {"a": "2"} for type_url in PUSH_ORDER}))


def test_a_node_that_comes_back_with_everything_is_settled_at_once(make_snapshot: Making) -> None:
    stream = DeltaStream()
    snapshot = make_snapshot({type_url: {"a": "1"} for type_url in PUSH_ORDER})
    for type_url in PUSH_ORDER:
        assert not stream.settled(snapshot)
        stream.receive(ask(type_url, "a", known={"a": "1"}), snapshot)
    assert stream.settled(snapshot)


def test_a_removal_is_settled_when_the_node_has_confirmed_it(make_snapshot: Making) -> None:
    stream, full, empty = DeltaStream(), make_snapshot({CLUSTER_TYPE: {"a": "1"}}), make_snapshot({})
    for type_url in PUSH_ORDER:
        for response in stream.receive(ask(type_url, "*"), full):
            stream.receive(acknowledge(response), full)
    [removal] = stream.publish(empty)
    assert not stream.settled(empty)
    stream.receive(acknowledge(removal), empty)
    assert stream.settled(empty)


def test_a_confirmation_of_what_the_node_gave_up_meanwhile_does_not_count(make_snapshot: Making) -> None:
    stream, snapshot = DeltaStream(), make_snapshot({SECRET_TYPE: {"a": "1"}})
    for type_url in PUSH_ORDER:
        stream.receive(ask(type_url, "*"), make_snapshot({}))
    stream.receive(ask(SECRET_TYPE, "a", drop=("*",)), make_snapshot({}))
    [response] = stream.publish(snapshot)
    stream.receive(ask(SECRET_TYPE, drop=("a",)), snapshot)
    stream.receive(acknowledge(response), snapshot)
    assert not stream.settled(snapshot)


def test_what_was_refused_is_not_sent_again_until_it_changes(make_snapshot: Making) -> None:
    stream, bad = DeltaStream(), make_snapshot({CLUSTER_TYPE: {"a": "2"}})
    stream.receive(ask(CLUSTER_TYPE), make_snapshot({CLUSTER_TYPE: {"a": "1"}}))
    [response] = stream.publish(bad)
    assert stream.receive(refuse(response, "a: no such host"), bad) == []
    assert stream.refusals == {CLUSTER_TYPE: "a: no such host"}
    assert stream.publish(bad) == []
    assert said(stream.publish(make_snapshot({CLUSTER_TYPE: {"a": "3"}}))) == [(CLUSTER_TYPE, {"a": "3"}, [])]


def test_a_refusal_stands_until_the_bad_resource_itself_is_replaced(make_snapshot: Making) -> None:
    stream = DeltaStream()
    [response] = stream.receive(ask(CLUSTER_TYPE), make_snapshot({CLUSTER_TYPE: {"a": "bad"}}))
    stream.receive(refuse(response), make_snapshot({CLUSTER_TYPE: {"a": "bad"}}))
    beside = make_snapshot({CLUSTER_TYPE: {"a": "bad", "b": "1"}})
    [response] = stream.publish(beside)
    stream.receive(acknowledge(response), beside)
    assert stream.refusals == {CLUSTER_TYPE: "bad"}
    mended = make_snapshot({CLUSTER_TYPE: {"a": "good", "b": "1"}})
    stream.publish(mended)
    assert stream.refusals == {}


def test_a_refusal_of_what_was_replaced_already_is_none(make_snapshot: Making) -> None:
    stream, mended = DeltaStream(), make_snapshot({CLUSTER_TYPE: {"a": "good"}})
    [response] = stream.receive(ask(CLUSTER_TYPE), make_snapshot({CLUSTER_TYPE: {"a": "bad"}}))
    stream.publish(mended)
    assert stream.receive(refuse(response), mended) == []
    assert stream.refusals == {}


def test_a_refusal_ends_with_the_resource(make_snapshot: Making) -> None:
    stream, bad = DeltaStream(), make_snapshot({CLUSTER_TYPE: {"a": "bad"}})
    [response] = stream.receive(ask(CLUSTER_TYPE), bad)
    stream.receive(refuse(response), bad)
    assert said(stream.publish(make_snapshot({}))) == [(CLUSTER_TYPE, {}, ["a"])]
    assert stream.refusals == {}


def test_one_bad_resource_among_many_holds_up_no_good_one(make_snapshot: Making) -> None:
    stream, snapshot = DeltaStream(), make_snapshot({CLUSTER_TYPE: {"a": "1", "bad": "1", "c": "1", "d": "1"}})
    [response] = stream.receive(ask(CLUSTER_TYPE), snapshot)
    first, second = stream.receive(refuse(response), snapshot)
    assert said([first, second]) == [
        (CLUSTER_TYPE, {"a": "1", "bad": "1"}, []),
        (CLUSTER_TYPE, {"c": "1", "d": "1"}, []),
    ]
    assert stream.receive(acknowledge(second), snapshot) == []
    good, bad = stream.receive(refuse(first), snapshot)
    assert said([good, bad]) == [(CLUSTER_TYPE, {"a": "1"}, []), (CLUSTER_TYPE, {"bad": "1"}, [])]
    assert stream.receive(acknowledge(good), snapshot) == []
    assert stream.receive(refuse(bad, "bad: why"), snapshot) == []
    assert stream.refusals == {CLUSTER_TYPE: "bad: why"}
    assert stream.publish(snapshot) == []


def test_what_changed_before_the_refusal_came_is_not_sent_again_in_its_old_version(make_snapshot: Making) -> None:
    stream = DeltaStream()
    [response] = stream.receive(ask(CLUSTER_TYPE), make_snapshot({CLUSTER_TYPE: {"a": "1", "b": "1"}}))
    newer = make_snapshot({CLUSTER_TYPE: {"a": "2", "b": "1"}})
    stream.publish(newer)
    assert said(stream.receive(refuse(response), newer)) == [(CLUSTER_TYPE, {"b": "1"}, [])]


def test_a_nonce_of_another_stream_confirms_nothing(make_snapshot: Making) -> None:
    stream, snapshot = DeltaStream(), make_snapshot({type_url: {"a": "1"} for type_url in PUSH_ORDER})
    for type_url in PUSH_ORDER:
        stream.receive(ask(type_url, "*"), snapshot)
        assert stream.receive(ask(type_url, nonce="77"), snapshot) == []
        assert stream.receive(ask(type_url, nonce="77", error="bad"), snapshot) == []
    assert not stream.settled(snapshot)
    assert stream.refusals == {}


def test_a_good_resource_is_not_blamed_when_the_bad_one_beside_it_was_given_up(make_snapshot: Making) -> None:
    stream, snapshot = DeltaStream(), make_snapshot({SECRET_TYPE: {"bad": "1", "good": "1"}})
    [response] = stream.receive(ask(SECRET_TYPE, "bad", "good"), snapshot)
    stream.receive(ask(SECRET_TYPE, drop=("bad",)), snapshot)
    assert said(stream.receive(refuse(response), snapshot)) == [(SECRET_TYPE, {"good": "1"}, [])]
    assert stream.refusals == {}


def test_what_a_list_or_a_map_waited_for_brings_nothing_that_is_published_and_not_sent_yet() -> None:
    def made(version: str, *withdrawn: str) -> Snapshot:
        routes = {"inbound": Resource("inbound", version, any_pb2.Any(type_url=ROUTE_TYPE))}
        listed = withdrawn_resource(withdrawn)
        return Snapshot(version, {EXTENSION_TYPE: {listed.name: listed}, ROUTE_TYPE: routes})

    stream, first = DeltaStream(), made("1")
    assert stream.receive(ask(EXTENSION_TYPE, WITHDRAWN_FILTER), first) == []
    # It waits for the maps to be asked for.
    routes, listed = stream.receive(ask(ROUTE_TYPE, "inbound"), first)
    later = made("2", "urn:a")
    assert [stream.receive(acknowledge(each), later) for each in (routes, listed)] == [[], []]
    [longer] = stream.publish(later)
    [routes] = stream.receive(acknowledge(longer), later)
    assert said([routes]) == [(ROUTE_TYPE, {"inbound": "2"}, [])]
    stream.receive(acknowledge(routes), later)
    assert stream.settled(replace(later, lingering=dict.fromkeys(PUSH_ORDER, frozenset({"none"}))))


def test_what_lingers_is_confirmed_by_whoever_still_asks_for_it_and_missed_by_nobody_else(
    make_snapshot: Making,
) -> None:
    snapshot = make_snapshot({type_url: {type_url: "1"} for type_url in PUSH_ORDER})
    lingering = replace(snapshot, lingering={SECRET_TYPE: frozenset({SECRET_TYPE})})
    stream = DeltaStream()
    for type_url in (CLUSTER_TYPE, LISTENER_TYPE):
        [response] = stream.receive(ask(type_url), snapshot)
        stream.receive(acknowledge(response), snapshot)
    for type_url in (EXTENSION_TYPE, ROUTE_TYPE):
        [response] = stream.receive(ask(type_url, type_url), snapshot)
        stream.receive(acknowledge(response), snapshot)
    assert (stream.settled(snapshot), stream.settled(lingering)) == (False, True)
    [response] = stream.receive(ask(SECRET_TYPE, SECRET_TYPE), lingering)
    assert not stream.settled(lingering)
    stream.receive(acknowledge(response), lingering)
    assert stream.settled(lingering)
    stream.receive(ask(SECRET_TYPE, drop=(SECRET_TYPE,)), lingering)
    assert (stream.settled(snapshot), stream.settled(lingering)) == (False, True)


A1, A2, B1 = "customer/a/1", "customer/a/2", "customer/b/1"


def test_what_is_on_demand_is_sent_to_whoever_asks_for_it_and_is_no_part_of_everything(make_snapshot: Making) -> None:
    stream, snapshot = DeltaStream(), make_snapshot({CLUSTER_TYPE: {"all": "1", A1: "1", B1: "1"}})
    assert said(stream.receive(ask(CLUSTER_TYPE), snapshot)) == [(CLUSTER_TYPE, {"all": "1"}, [])]
    assert said(stream.receive(ask(CLUSTER_TYPE, A1), snapshot)) == [(CLUSTER_TYPE, {A1: "1"}, [])]
    changed = make_snapshot({CLUSTER_TYPE: {"all": "1", A1: "2", B1: "2"}})
    assert said(stream.publish(changed)) == [(CLUSTER_TYPE, {A1: "2"}, [])]
    # One that is not there is told to be so at once: the node has somebody waiting for it.
    assert said(stream.receive(ask(CLUSTER_TYPE, A2), changed)) == [(CLUSTER_TYPE, {}, [A2])]
    assert said(stream.receive(ask(CLUSTER_TYPE, drop=(A1,)), changed)) == [(CLUSTER_TYPE, {}, [A1])]


def confirmed(make_snapshot: Making, content: dict[str, dict[str, str]], *asked: str) -> tuple[DeltaStream, Snapshot]:
    """Return a stream whose node has confirmed all of the content that is not on demand, and these clusters."""
    stream, snapshot = DeltaStream(), make_snapshot(content)
    for type_url in PUSH_ORDER:
        for response in stream.receive(ask(type_url, "*", *(asked if type_url == CLUSTER_TYPE else ())), snapshot):
            stream.receive(acknowledge(response), snapshot)
    return stream, snapshot


def test_what_is_on_demand_need_be_confirmed_by_whoever_asked_for_it_alone(make_snapshot: Making) -> None:
    secret = client_certificate("a")
    content = {CLUSTER_TYPE: {"all": "1", A1: "1"}, SECRET_TYPE: {secret: "1"}}
    stream, snapshot = confirmed(make_snapshot, content)
    assert stream.settled(snapshot)
    [response] = stream.receive(ask(SECRET_TYPE, secret), snapshot)
    assert not stream.settled(snapshot)
    stream.receive(acknowledge(response), snapshot)
    assert stream.settled(snapshot)


def test_a_cluster_that_waits_for_its_name_holds_up_no_change(make_snapshot: Making) -> None:
    stream, snapshot = confirmed(make_snapshot, {CLUSTER_TYPE: {"all": "1", A1: "1"}})
    [response] = stream.receive(ask(CLUSTER_TYPE, A1), snapshot)
    assert (stream.settled(snapshot), stream.customers) == (True, 0)
    stream.receive(acknowledge(response), snapshot)
    assert (stream.settled(snapshot), stream.customers) == (True, 1)


def test_a_cluster_of_one_customer_is_taken_away_when_no_route_leads_to_it_any_more(make_snapshot: Making) -> None:
    stream, _ = confirmed(make_snapshot, {CLUSTER_TYPE: {A1: "1"}, ROUTE_TYPE: {"r": "1"}}, A1)
    after = make_snapshot({CLUSTER_TYPE: {A2: "1"}, ROUTE_TYPE: {"r": "2"}})
    [route] = stream.publish(after)
    assert said([route]) == [(ROUTE_TYPE, {"r": "2"}, [])]
    assert said(stream.receive(acknowledge(route), after)) == [(CLUSTER_TYPE, {}, [A1])]


def test_a_node_that_was_away_keeps_a_replaced_cluster_until_it_has_the_routes(make_snapshot: Making) -> None:
    stream, after = DeltaStream(), make_snapshot({CLUSTER_TYPE: {A2: "1"}, ROUTE_TYPE: {"r": "2"}})
    assert said(stream.receive(ask(CLUSTER_TYPE, "*", A1, known={A1: "1"}), after)) == [(CLUSTER_TYPE, {}, [])]
    [route] = stream.receive(ask(ROUTE_TYPE, "r", known={"r": "1"}), after)
    assert said(stream.receive(acknowledge(route), after)) == [(CLUSTER_TYPE, {}, [A1])]


def test_what_comes_back_is_sent_without_being_asked_for_again(make_snapshot: Making) -> None:
    stream, first = confirmed(make_snapshot, {CLUSTER_TYPE: {A1: "1"}, ROUTE_TYPE: {"r": "1"}}, A1)
    without = make_snapshot({ROUTE_TYPE: {"r": "1"}})
    [gone] = stream.publish(without)
    stream.receive(acknowledge(gone), without)
    assert said(stream.publish(first)) == [(CLUSTER_TYPE, {A1: "1"}, [])]


def test_a_refused_cluster_of_one_customer_holds_up_nobody_else_and_is_told(make_snapshot: Making) -> None:
    stream, snapshot = confirmed(make_snapshot, {CLUSTER_TYPE: {"all": "1", A1: "1", B1: "1"}})
    [bad] = stream.receive(ask(CLUSTER_TYPE, A1), snapshot)
    assert stream.receive(refuse(bad, "no CA in it"), snapshot) == []
    assert (stream.refusals, stream.refused_by_need) == ({CLUSTER_TYPE: "no CA in it"}, ())
    assert stream.settled(snapshot)
    general = make_snapshot({CLUSTER_TYPE: {"all": "2", A1: "1", B1: "1"}})
    [worse] = stream.publish(general)
    stream.receive(refuse(worse, "no address"), general)
    assert (stream.refused_by_need, stream.settled(general)) == (("no address",), False)


def test_a_refused_secret_is_sent_again_when_its_customer_has_another_cluster(make_snapshot: Making) -> None:
    secret = client_certificate("a")
    stream, first = confirmed(make_snapshot, {CLUSTER_TYPE: {A1: "1"}, SECRET_TYPE: {secret: "1"}})
    [cluster] = stream.receive(ask(CLUSTER_TYPE, A1), first)
    stream.receive(acknowledge(cluster), first)
    [bad] = stream.receive(ask(SECRET_TYPE, secret), first)
    stream.receive(refuse(bad, "no CA in the cluster"), first)
    assert (stream.settled(first), stream.refused_by_need) == (True, ())
    assert said(stream.receive(ask(CLUSTER_TYPE, B1), first)) == [(CLUSTER_TYPE, {}, [B1])]
    second = make_snapshot({CLUSTER_TYPE: {A1: "1", A2: "1"}, SECRET_TYPE: {secret: "1"}})
    assert said(stream.receive(ask(CLUSTER_TYPE, A2), second)) == [
        (CLUSTER_TYPE, {A2: "1"}, []),
        (SECRET_TYPE, {secret: "1"}, []),
    ]
    assert stream.refusals == {}


def test_a_server_that_only_fills_leaves_what_the_node_has_and_sends_what_it_lacks(make_snapshot: Making) -> None:
    snapshot = make_snapshot({CLUSTER_TYPE: {"a": "1", "b": "1"}, ROUTE_TYPE: {"r": "1"}})
    stream = DeltaStream(fills_only=True)
    # "a" is another version, "c" is not in the snapshot at all.
    responses = stream.receive(ask(CLUSTER_TYPE, known={"a": "later", "c": "later"}), snapshot)
    assert said(responses) == [(CLUSTER_TYPE, {"b": "1"}, [])]
    assert stream.receive(ask(ROUTE_TYPE, "r", "s", known={"r": "later", "s": "later"}), snapshot) == []


def test_a_server_that_only_fills_sends_all_to_a_node_that_has_nothing_and_what_changes_later(
    make_snapshot: Making,
) -> None:
    stream = DeltaStream(fills_only=True)
    first = make_snapshot({ROUTE_TYPE: {"r": "1"}})
    assert said(stream.receive(ask(ROUTE_TYPE, "r"), first)) == [(ROUTE_TYPE, {"r": "1"}, [])]
    again = DeltaStream(fills_only=True)
    assert again.receive(ask(ROUTE_TYPE, "r", known={"r": "later"}), first) == []
    assert said(again.publish(make_snapshot({ROUTE_TYPE: {"r": "2"}}))) == [(ROUTE_TYPE, {"r": "2"}, [])]


def test_the_version_is_that_of_the_last_response_that_was_confirmed(make_snapshot: Making) -> None:
    stream, first = DeltaStream(), make_snapshot({CLUSTER_TYPE: {"a": "1"}})
    [response] = stream.receive(ask(CLUSTER_TYPE), first)
    assert stream.version == ""
    stream.receive(acknowledge(response), first)
    assert stream.version == first.version
    second = make_snapshot({CLUSTER_TYPE: {"a": "2"}})
    [bad] = stream.publish(second)
    stream.receive(refuse(bad), second)
    stream.receive(ask(CLUSTER_TYPE, nonce="no nonce of ours"), second)
    assert stream.version == first.version
    third = make_snapshot({CLUSTER_TYPE: {"a": "3"}})
    [good] = stream.publish(third)
    stream.receive(acknowledge(good), third)
    assert stream.version == third.version


def test_what_is_asked_for_on_the_second_stream_goes_when_the_first_has_confirmed_the_routes(
    make_snapshot: Making,
) -> None:
    stream, name = DeltaStream(), "customer/1/0"
    before = make_snapshot({CLUSTER_TYPE: {name: "1"}, ROUTE_TYPE: {"egress": "1"}})
    after = make_snapshot({ROUTE_TYPE: {"egress": "2"}})
    [routes] = stream.receive(ask(ROUTE_TYPE, "egress"), before)
    stream.receive(acknowledge(routes), before)
    [brought] = stream.receive(ask(ON_DEMAND_TYPE, name), before)
    assert said([brought]) == [(ON_DEMAND_TYPE, {name: "1"}, [])]
    assert stream.customers == 0
    stream.receive(acknowledge(brought), before)
    assert stream.customers == 1
    [routes] = stream.publish(after)
    assert routes.type_url == ROUTE_TYPE
    assert said(stream.receive(acknowledge(routes), after)) == [(ON_DEMAND_TYPE, {}, [name])]
    # It stays asked for, and comes again.
    assert said(stream.publish(before))[0] == (ON_DEMAND_TYPE, {name: "1"}, [])


def test_a_second_stream_that_comes_again_says_what_the_node_has(make_snapshot: Making) -> None:
    stream, names = DeltaStream(), ("customer/1/0", "customer/2/0")
    snapshot = make_snapshot({CLUSTER_TYPE: dict.fromkeys(names, "1")})
    stream.receive(ask(ON_DEMAND_TYPE, names[0]), snapshot)
    assert stream.waits
    stream.end_on_demand()
    assert (stream.waits, stream.customers) == (False, 0)
    again = stream.receive(ask(ON_DEMAND_TYPE, *names, known={names[0]: "1"}), snapshot)
    assert said(again) == [(ON_DEMAND_TYPE, {names[1]: "1"}, [])]


def test_who_may_enter_is_sent_ahead_of_the_ways_to_customers_once_the_node_has_any(make_snapshot: Making) -> None:
    stream, first = DeltaStream(), make_snapshot({ROUTE_TYPE: {"inbound": "1", "egress": "1", "probe": "1"}})
    [response] = stream.receive(ask(ROUTE_TYPE, "inbound", "egress", "probe"), first)
    stream.receive(acknowledge(response), first)
    changed = make_snapshot({ROUTE_TYPE: {"inbound": "2", "egress": "2", "probe": "1"}})
    assert said(stream.publish(changed)) == [(ROUTE_TYPE, {"inbound": "2"}, []), (ROUTE_TYPE, {"egress": "2"}, [])]
    alone = make_snapshot({ROUTE_TYPE: {"inbound": "3", "egress": "2", "probe": "1"}})
    assert said(stream.publish(alone)) == [(ROUTE_TYPE, {"inbound": "3"}, [])]


def lacking(stream: DeltaStream) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return why the node has not all, and what of that could not be packed."""
    return stream.refused_by_need, stream.unpacked


def test_what_could_not_be_packed_counts_as_refused_until_it_is_sent_anew(make_snapshot: Making) -> None:
    snapshot = make_snapshot({LISTENER_TYPE: {"a": "1", "b": "1"}})
    stream = DeltaStream()
    [response] = stream.receive(ask(LISTENER_TYPE), snapshot)
    stream.not_packed(response, {"a": "a cannot be packed"})
    assert stream.receive(acknowledge(response), snapshot) == []
    assert lacking(stream) == (("a cannot be packed",), ("a cannot be packed",))
    assert stream.refusals == {LISTENER_TYPE: "a cannot be packed"}
    assert not stream.settled(snapshot)
    assert stream.publish(snapshot) == []
    mended = make_snapshot({LISTENER_TYPE: {"a": "2", "b": "1"}})
    [again] = stream.publish(mended)
    assert said([again]) == [(LISTENER_TYPE, {"a": "2"}, [])]
    assert lacking(stream) == ((), ())
    stream.receive(acknowledge(again), mended)
    # Envoy's own refusal is no mistake of ours.
    [third] = stream.publish(make_snapshot({LISTENER_TYPE: {"a": "3", "b": "1"}}))
    stream.receive(refuse(third), snapshot)
    assert lacking(stream) == (("bad",), ())


def test_what_could_not_be_packed_and_is_gone_or_given_up_is_told_no_more(make_snapshot: Making) -> None:
    snapshot = make_snapshot({SECRET_TYPE: {"a": "1", "b": "1"}})
    stream = DeltaStream()
    [response] = stream.receive(ask(SECRET_TYPE, "a", "b"), snapshot)
    stream.not_packed(response, {"a": "a cannot be packed", "b": "b cannot be packed"})
    stream.receive(acknowledge(response), snapshot)
    stream.receive(ask(SECRET_TYPE, drop=("b",)), snapshot)
    assert lacking(stream) == (("a cannot be packed",), ("a cannot be packed",))
    [gone] = stream.publish(make_snapshot({SECRET_TYPE: {}}))
    assert said([gone]) == [(SECRET_TYPE, {}, ["a"])]
    assert lacking(stream) == ((), ())
