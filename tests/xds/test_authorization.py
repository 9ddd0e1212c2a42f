from collections.abc import Callable, Iterator
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

import pytest
from envoy.config.rbac.v3 import rbac_pb2
from envoy.config.route.v3 import route_components_pb2
from envoy.extensions.filters.http.rbac.v3 import rbac_pb2 as filter_pb2
from envoy.extensions.rbac.matchers.upstream_ip_port.v3 import upstream_ip_port_matcher_pb2

from bothways.registry.addresses import refused_ranges
from bothways.xds.authorization import deny_all, deny_special_addresses, enter, reach, reach_by_all, refuse, refused_by
from bothways.xds.identities import Identities, Part
from bothways.xds.state import Identity

Network = IPv4Network | IPv6Network

# IANA IPv4 and IPv6 Special-Purpose Address Registries: every block that is not globally reachable; multicast (RFC
# 1112, RFC 4291); site-local addresses (RFC 3879); and the blocks that carry an IPv4 address inside (RFC 4291 section
# 2.5.5.2, RFC 6052, RFC 3056).
SPECIAL = (
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "255.255.255.255/32",
    "::/128",
    "::ffff:0:0/96",
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "100::/64",
    "100:0:0:1::/64",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
)


def unpacked(packed: Any) -> Any:
    message = filter_pb2.RBACPerRoute()
    assert packed.Unpack(message)
    return message


def test_the_filter_itself_lets_nobody_pass() -> None:
    # Rules without policies deny: the action ALLOW means "only what a policy matches" (Envoy, config.rbac.v3.RBAC).
    assert deny_all() == filter_pb2.RBAC(rules=rbac_pb2.RBAC(action=rbac_pb2.RBAC.ALLOW, policies={}))
    assert deny_all().HasField("rules")


def test_no_identities_deny_everybody() -> None:
    assert unpacked(enter([])) == filter_pb2.RBACPerRoute(rbac=deny_all())
    # Envoy takes a route without `rbac` as "switched off here".
    assert unpacked(enter([])).HasField("rbac")


def test_exactly_the_given_certificates_pass_each_named_with_its_customer(
    shown: Callable[[Any], Any], first: Identity, second: Identity
) -> None:
    def entry(tsp_id: str) -> dict[str, Any]:
        action = {"@type": "type.googleapis.com/envoy.config.rbac.v3.Action", "name": tsp_id}
        return {"action": {"name": "decided", "typed_config": action}}

    uri_san = {"@type": "type.googleapis.com/envoy.extensions.matching.common_inputs.ssl.v3.UriSanInput"}
    assert shown(unpacked(enter([first, second]))) == {
        "rbac": {
            "matcher": {
                "matcher_tree": {
                    "input": {"name": "uri-san", "typed_config": uri_san},
                    "exact_match_map": {
                        "map": {first.uri_id: entry(first.tsp_id), second.uri_id: entry(second.tsp_id)}
                    },
                }
            }
        }
    }


def test_who_is_not_in_the_map_is_denied(first: Identity) -> None:
    # An unmatched matcher denies (Envoy, filters.http.rbac.v3.RBAC); `on_no_match` could say otherwise.
    message = unpacked(enter([first]))
    assert not message.rbac.matcher.HasField("on_no_match")
    assert not message.rbac.HasField("rules")


def test_whom_most_may_reach_has_a_map_of_the_others(first: Identity, second: Identity) -> None:
    third = Identity("urn:bothways:PPR:3:3c", "3")
    message = unpacked(reach([first, third], [first, second, third])).rbac
    entries = message.matcher.matcher_tree.exact_match_map.map
    assert list(entries) == [second.uri_id]
    assert action_of(entries[second.uri_id]) == rbac_pb2.Action(name=second.tsp_id, action=rbac_pb2.RBAC.DENY)
    assert action_of(message.matcher.on_no_match) == rbac_pb2.Action(name="entered", action=rbac_pb2.RBAC.ALLOW)


def test_whom_half_or_fewer_may_reach_has_a_map_of_these(first: Identity, second: Identity) -> None:
    assert reach([first], [first, second]) == enter([first])
    assert reach([], [first, second]) == reach([], []) == enter([])


def test_whom_all_may_reach_needs_no_map(first: Identity, second: Identity) -> None:
    parts = Identities([Part((first,)), Part((second,))])
    assert reach([first, second], [first, second]) == reach(parts, parts) == reach_by_all()
    left_out = route_components_pb2.FilterConfig()
    assert reach_by_all().Unpack(left_out)
    assert left_out == route_components_pb2.FilterConfig(disabled=True)


def test_those_who_are_refused_are_told_as_whoever_is_in_no_map_and_all_others_go_on(
    first: Identity, second: Identity
) -> None:
    message = filter_pb2.RBAC()
    assert refuse([second.uri_id, first.uri_id]).Unpack(message)
    entries = message.matcher.matcher_tree.exact_match_map.map
    assert entries.keys() == {first.uri_id, second.uri_id}
    # The name is what Envoy logs where nothing matched.
    assert {(action_of(each).name, action_of(each).action) for each in entries.values()} == {
        ("none", rbac_pb2.RBAC.DENY)
    }
    assert action_of(message.matcher.on_no_match).action == rbac_pb2.RBAC.ALLOW
    assert message.matcher.matcher_tree.input.typed_config.type_url.endswith("UriSanInput")
    assert refused_by(refuse([first.uri_id]).value) == {first.uri_id}


def test_where_nobody_is_refused_no_rule_is_asked() -> None:
    assert refuse([]).value == b""
    assert refused_by(refuse([]).value) == frozenset()


def test_parts_make_the_map_that_the_whole_makes() -> None:
    many = [Identity(f"urn:bothways:PPR:{number}:{number:x}", str(number)) for number in range(40)]
    every = Identities(Part(tuple(many[place::4])) for place in range(4))
    for count in (0, 10, 20, 21, 39, 40):
        reaching = Identities(
            Part(tuple(each for each in many[place::4] if each in many[:count])) for place in range(4)
        )
        by_parts, whole = reach(reaching, every), reach(many[:count], many)
        assert by_parts.type_url == whole.type_url
        assert whole == reach_by_all() if count == len(many) else unpacked(by_parts) == unpacked(whole)


def action_of(on_match: Any) -> Any:
    action = rbac_pb2.Action()
    assert on_match.action.typed_config.Unpack(action)
    return action


def test_the_filter_towards_customers_denies_and_everything_else_passes(shown: Callable[[Any], Any]) -> None:
    message = shown(deny_special_addresses(loopback_allowed=False))
    assert message.pop("@type") == "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC"
    [permission] = message["rules"]["policies"]["special-address"].pop("permissions")
    assert message == {
        "rules": {"action": "DENY", "policies": {"special-address": {"principals": [{"any": True}]}}},
    }
    assert list(permission) == ["or_rules"]


@pytest.mark.parametrize("block", SPECIAL)
@pytest.mark.parametrize("loopback_allowed", [False, True])
def test_a_special_purpose_block_is_denied_from_its_first_address_to_its_last(
    block: str,
    loopback_allowed: bool,  # noqa: FBT001 - both settings are the point
) -> None:
    network = ip_network(block)
    inside = [each for each in denied(loopback_allowed=loopback_allowed) if each.version == network.version]
    assert uncovered(network, inside) == []


@pytest.mark.parametrize("address", ["127.0.0.1", "127.255.255.254", "::1"])
def test_loopback_is_denied_unless_the_danger_setting_opens_it(address: str) -> None:
    assert is_denied(address, loopback_allowed=False)
    assert not is_denied(address, loopback_allowed=True)


def test_exactly_the_refused_ranges_are_denied() -> None:
    refused = {ip_network(each) for each in refused_ranges(loopback_allowed=False)}
    found = denied(loopback_allowed=False)
    assert (len(found), set(found)) == (len(refused), refused)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "193.0.6.139", "2606:4700:4700::1111", "2a00:1450::1"])
def test_public_addresses_pass(address: str) -> None:
    assert not is_denied(address, loopback_allowed=False)


def denied(*, loopback_allowed: bool) -> list[Network]:
    """Return the networks that the filter refuses."""
    guard = filter_pb2.RBAC()
    assert deny_special_addresses(loopback_allowed=loopback_allowed).Unpack(guard)
    [rule] = guard.rules.policies["special-address"].permissions
    return list(matched(rule))


def matched(rule: Any) -> Iterator[Network]:
    """Yield the networks of a permission that is one, or is of networks, or has a network around the others."""
    if rule.WhichOneof("rule") == "or_rules":
        for each in rule.or_rules.rules:
            yield from matched(each)
    elif rule.WhichOneof("rule") == "and_rules":
        [around], inside = ([*matched(each)] for each in rule.and_rules.rules)
        assert all(each.version == around.version and around.supernet_of(each) for each in inside)  # type: ignore[arg-type]
        yield from inside
    else:
        matcher = upstream_ip_port_matcher_pb2.UpstreamIpPortMatcher()
        assert rule.matcher.typed_config.Unpack(matcher)
        # An address outside its own prefix would raise here.
        yield ip_network(f"{matcher.upstream_ip.address_prefix}/{matcher.upstream_ip.prefix_len.value}")


def is_denied(address: str, *, loopback_allowed: bool) -> bool:
    return any(ip_address(address) in network for network in denied(loopback_allowed=loopback_allowed))


def uncovered(network: Any, covers: list[Any]) -> list[Network]:
    """Return the parts of the network that no cover holds."""
    left = [network]
    for cover in covers:
        left = [
            part
            for each in left
            if not each.subnet_of(cover)
            for part in (each.address_exclude(cover) if cover.subnet_of(each) else [each])
        ]
    return left
