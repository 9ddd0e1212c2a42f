"""Who may pass: an exact-match map on the certificate's URI-ID, a hash lookup at any number of customers."""

from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from ipaddress import ip_network
from typing import Any

from envoy.config.core.v3 import address_pb2, extension_pb2
from envoy.config.rbac.v3 import rbac_pb2
from envoy.config.route.v3 import route_components_pb2
from envoy.extensions.filters.http.rbac.v3 import rbac_pb2 as filter_pb2
from envoy.extensions.matching.common_inputs.ssl.v3 import ssl_inputs_pb2
from envoy.extensions.rbac.matchers.upstream_ip_port.v3 import upstream_ip_port_matcher_pb2
from google.protobuf import wrappers_pb2
from xds.type.matcher.v3 import matcher_pb2

from bothways.registry.addresses import refused_ranges
from bothways.xds.identities import Identities, in_parts
from bothways.xds.state import Identity
from bothways.xds.typed import any_of, inside, matching_extension

ENFORCED_CUSTOMER = "%DYNAMIC_METADATA(envoy.filters.http.rbac:enforced_effective_policy_id)%"
"""The customer whose entry in the map let the request pass, as Envoy writes it into headers and logs."""

_ENTERED = "entered"
"""What decides where a route is there for all: no customer's identifier can be this, for it is not in the last map."""


def deny_all() -> Any:
    """Return the filter's own configuration: it lets nobody pass. Each route that lets somebody pass says so."""
    return filter_pb2.RBAC(rules=rbac_pb2.RBAC())


def enter(identities: Sequence[Identity]) -> Any:
    """Return who may enter, packed: exactly these certificates, each named with its customer."""
    if not identities:
        return any_of(filter_pb2.RBACPerRoute(rbac=deny_all()))
    return _by_certificate(matcher_pb2.Matcher(), (each.allowing for each in in_parts(identities).parts))


def reach(identities: Sequence[Identity], every: Sequence[Identity]) -> Any:
    """Return who of `every`, which may enter, may reach a service, packed: exactly `identities`.

    As a map of these, or of all others if those are fewer, so that no map has more than half of all. It counts beside
    `enter` and never instead of it: who may not enter reaches nothing, whatever stands here.
    """
    if len(identities) * 2 <= len(every):
        return enter(identities)
    others = _others(identities, every)
    if not others:
        return reach_by_all()
    matcher = matcher_pb2.Matcher(
        on_no_match=matcher_pb2.Matcher.OnMatch(
            action=matching_extension("others", rbac_pb2.Action(name=_ENTERED, action=rbac_pb2.RBAC.ALLOW))
        )
    )
    return _by_certificate(matcher, (each.denying for each in others.parts))


def reach_by_all() -> Any:
    """Return that whoever may enter may go on, packed: for what is there for every customer.

    The filter is left out of such a request: to be asked and to say yes costs it half of what the other filter does.
    """
    return any_of(route_components_pb2.FilterConfig(disabled=True))


def refuse(uri_ids: Iterable[str]) -> Any:
    """Return the filter's own configuration, packed: these certificates are refused, and all others may go on.

    Without any, it has no rules at all, which costs a request the least. They are in the order in which they are given.
    """
    entries = b"".join(_refused(each) for each in uri_ids)
    if not entries:
        return any_of(filter_pb2.RBAC())
    otherwise = rbac_pb2.Action(name=_ENTERED, action=rbac_pb2.RBAC.ALLOW)
    on_no_match = matcher_pb2.Matcher.OnMatch(action=matching_extension("others", otherwise))
    tree = matcher_pb2.Matcher.MatcherTree(input=_uri_san())
    packed = any_of(filter_pb2.RBAC(matcher=matcher_pb2.Matcher(matcher_tree=tree, on_no_match=on_no_match)))
    packed.value += b"".join(inside(filter_pb2.RBAC, ("matcher", "matcher_tree", "exact_match_map"), entries))
    return packed


def refused_by(packed: bytes) -> frozenset[str]:
    """Return the URI-IDs that such a configuration, serialized, refuses."""
    return frozenset(filter_pb2.RBAC.FromString(packed).matcher.matcher_tree.exact_match_map.map)


@lru_cache(maxsize=1 << 10)
def _refused(uri_id: str) -> bytes:
    """Return the entry of one certificate, as in `identities.Part`: while others follow, it is in each list again."""
    # What Envoy calls a refusal by the map, in which nothing fits: one is not told from the other by anybody.
    action = rbac_pb2.Action(name="none", action=rbac_pb2.RBAC.DENY)
    entry = {uri_id: matcher_pb2.Matcher.OnMatch(action=matching_extension("refused", action))}
    return bytes(matcher_pb2.Matcher.MatcherTree.MatchMap(map=entry).SerializeToString(deterministic=True))


def _uri_san() -> Any:
    return matching_extension("uri-san", ssl_inputs_pb2.UriSanInput())


def _others(identities: Sequence[Identity], every: Sequence[Identity]) -> Identities:
    if isinstance(identities, Identities) and isinstance(every, Identities):
        return every.without(identities)
    return in_parts(every).without(in_parts(identities))


def _by_certificate(matcher: Any, maps: Iterable[bytes]) -> Any:
    matcher.matcher_tree.input.CopyFrom(_uri_san())
    packed = any_of(filter_pb2.RBACPerRoute(rbac=filter_pb2.RBAC(matcher=matcher)))
    # The map was encoded before, so it goes in as it is: a message that comes twice is merged with itself.
    path = ("rbac", "matcher", "matcher_tree", "exact_match_map")
    packed.value = b"".join((packed.value, *inside(filter_pb2.RBACPerRoute, path, *maps)))
    return packed


@cache
def deny_special_addresses(*, loopback_allowed: bool) -> Any:
    """Return a filter for the upstream side, packed: a connection to a special address is refused, whatever DNS said.

    Made once: every customer's cluster has it, and it would be most of the work of building 10,000 of them.
    """
    refused = [ip_network(each) for each in refused_ranges(loopback_allowed=loopback_allowed)]
    versions = [[each for each in refused if each.version == version] for version in (4, 6)]
    permissions = [_in_any_of(networks) for networks in versions]
    policy = rbac_pb2.Policy(
        permissions=[_or(permissions)],
        principals=[rbac_pb2.Principal(any=True)],
    )
    rules = rbac_pb2.RBAC(action=rbac_pb2.RBAC.DENY, policies={"special-address": policy})
    return any_of(filter_pb2.RBAC(rules=rules))


def _in_any_of(networks: Sequence[Any]) -> Any:
    """Return the permission of addresses in one of these networks: in the least block around them, then in its halves.

    Envoy looks at each in turn, at each request: a public address is done after 8 looks, where the list has 30.
    """
    block = networks[0]
    while not all(each.subnet_of(block) for each in networks):
        block = block.supernet()
    if block in networks:
        return _in(block)
    halves = [[each for each in networks if each.subnet_of(half)] for half in block.subnets()]
    return rbac_pb2.Permission(
        and_rules=rbac_pb2.Permission.Set(rules=[_in(block), _or([_in_any_of(each) for each in halves])])
    )


def _or(permissions: Iterable[Any]) -> Any:
    return rbac_pb2.Permission(or_rules=rbac_pb2.Permission.Set(rules=permissions))


def _in(network: Any) -> Any:
    cidr = address_pb2.CidrRange(
        address_prefix=str(network.network_address), prefix_len=wrappers_pb2.UInt32Value(value=network.prefixlen)
    )
    matcher = upstream_ip_port_matcher_pb2.UpstreamIpPortMatcher(upstream_ip=cidr)
    return rbac_pb2.Permission(
        matcher=extension_pb2.TypedExtensionConfig(name="upstream-address", typed_config=any_of(matcher))
    )
