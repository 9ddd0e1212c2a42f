"""Who may reach which route, read out of the built messages, is what the state says; for any state."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from envoy.config.rbac.v3 import rbac_pb2
from envoy.extensions.filters.http.rbac.v3 import rbac_pb2 as filter_pb2
from hypothesis import given
from hypothesis import strategies as st

from bothways.contract.document import Environment
from bothways.pki.chain import certificate_pem, fingerprint
from bothways.xds.authorization import reach_by_all
from bothways.xds.names import RBAC_FILTER, SERVICE_RBAC_FILTER
from bothways.xds.route import inbound_routes
from bothways.xds.state import Address, Anchors, HubState, Identity, KeyPair, ServiceRoute
from bothways.xds.withdrawn import ahead


def made() -> tuple[Anchors, KeyPair]:
    """Return trust anchors and a pair; which ones is all one to the routes."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CA")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    dated = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    certificate = dated.sign(key, SHA256())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    pem = certificate_pem(certificate)
    return Anchors(pem), KeyPair(pem, private, fingerprint(certificate))


ANCHORS, PAIR = made()
EMPTY = HubState(
    environment=Environment.PPR,
    host="api.hub.example",
    port=443,
    inbound=Address("127.0.0.1", 443),
    egress=Address("127.0.0.1", 15001),
    probe_socket="/run/probe.sock",
    connectivity_socket="/run/connectivity.sock",
    server=PAIR,
    client=PAIR,
    trust=ANCHORS,
)
IDENTITIES = tuple(Identity(f"urn:bothways:PPR:{tsp_id}:{serial}", tsp_id) for tsp_id in "123" for serial in "ab")
# Some inside others, though the rules on services allow no such two.
PREFIXES = ("/a", "/a/b", "/a/b/c", "/ab", "/b")
PATHS = ("/", "/a", "/a/", "/a/b", "/a/bc", "/a/b/c/d", "/abc", "/ab/c", "/b", "/c", "/connectivity", "/connectivity/x")
EST = "/.well-known/est/simplereenroll"

some = st.lists(st.sampled_from(IDENTITIES), unique=True).map(tuple)


@st.composite
def states(draw: st.DrawFn) -> HubState:
    """Draw a hub: certificates that are valid, and services open to some of them."""
    present = draw(some)
    services = tuple(
        ServiceRoute(f"s{at}", prefix, "127.0.0.1", 80, tuple(each for each in draw(some) if each in present))
        for at, prefix in enumerate(draw(st.lists(st.sampled_from(PREFIXES), unique=True)))
    )
    return replace(EMPTY, identities=present, services=services)


def inside(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(f"{prefix}/")


def promised(state: HubState, identity: Identity, path: str) -> str | None:
    """Return the cluster that the state promises, empty for an answer of Envoy's own, None for 403."""
    services = [each for each in state.services if inside(path, each.prefix)]
    if services:
        service = max(services, key=lambda each: len(each.prefix))
        return f"service/{service.name}" if identity in service.identities else None
    if identity not in state.identities:
        return None
    return "connectivity" if inside(path, "/connectivity") or inside(path, "/.well-known/est") else ""


def built(routes: Any, identity: Identity, path: str) -> str | None:
    """Return what Envoy does by these messages: the first route that matches, and what its two filters find."""
    [host] = routes.virtual_hosts
    route = next(each for each in host.routes if matches(each.match, path))
    assert RBAC_FILTER not in route.typed_per_filter_config
    reaches = reached(route.typed_per_filter_config[SERVICE_RBAC_FILTER], identity)
    enters = decided(host.typed_per_filter_config[RBAC_FILTER], identity)
    if reaches is None or enters is None:
        return None
    # The last filter is the one whose finding names the customer.
    assert enters == identity.tsp_id
    cluster: str = route.route.cluster
    return cluster


def reached(packed: Any, identity: Identity) -> str | None:
    """Return the name under which the filter of the route lets the certificate pass; it may be left out there."""
    return "all" if packed == reach_by_all() else decided(packed, identity)


def decided(packed: Any, identity: Identity) -> str | None:
    """Return the name under which the filter lets the certificate pass, None if it does not."""
    message = filter_pb2.RBACPerRoute()
    assert packed.Unpack(message)
    assert message.HasField("rbac")  # Without it the filter would be off.
    if message.rbac.HasField("rules"):
        assert not message.rbac.rules.policies
        return None
    matcher = message.rbac.matcher
    entries = matcher.matcher_tree.exact_match_map.map
    found = entries.get(identity.uri_id, matcher.on_no_match)
    action = rbac_pb2.Action(action=rbac_pb2.RBAC.DENY)
    if found.HasField("action"):
        assert found.action.typed_config.Unpack(action)
    return action.name if action.action == rbac_pb2.RBAC.ALLOW else None


def matches(match: Any, path: str) -> bool:
    if match.path_separated_prefix:
        return inside(path, match.path_separated_prefix)
    assert match.prefix == "/"
    return True


@given(states())
def test_the_messages_let_pass_whom_the_state_lets_pass_and_nobody_else(state: HubState) -> None:
    routes = inbound_routes(state)
    for identity in IDENTITIES:
        for path in (*PATHS, EST):
            assert built(routes, identity, path) == promised(state, identity, path), (identity, path)


@given(states(), st.sampled_from(IDENTITIES))
def test_taking_one_certificate_out_changes_what_it_may_and_nothing_else(state: HubState, gone: Identity) -> None:
    services = tuple(
        replace(each, identities=tuple(one for one in each.identities if one != gone)) for each in state.services
    )
    after = replace(state, identities=tuple(one for one in state.identities if one != gone), services=services)
    before, left = inbound_routes(state), inbound_routes(after)
    for path in (*PATHS, EST):
        assert built(left, gone, path) is None
        for other in IDENTITIES:
            if other != gone:
                assert built(left, other, path) == built(before, other, path)


@given(states(), some, some, some)
def test_what_goes_ahead_of_the_maps_lets_pass_whom_the_state_lets_pass_and_nobody_else(
    standing: HubState, gone: tuple[Identity, ...], granted: tuple[Identity, ...], ungranted: tuple[Identity, ...]
) -> None:
    present = tuple(each for each in standing.identities if each not in gone)
    # Mostly nothing but what is lost; at times the first service is given to somebody, or taken from them alone.
    services = [
        replace(service, identities=tuple(each for each in service.identities if each in present))
        for service in standing.services
    ]
    if services and len(granted) + len(ungranted) > len(IDENTITIES):
        reached = {*services[0].identities, *granted} - {*ungranted}
        services[0] = replace(services[0], identities=tuple(sorted(reached.intersection(present))))
    wanted = replace(standing, identities=present, services=tuple(services))
    found = ahead(standing, wanted)
    routes = inbound_routes(found)
    for identity in IDENTITIES:
        for path in (*PATHS, EST):
            passes = None if identity in found.withdrawn else built(routes, identity, path)
            assert passes == promised(wanted, identity, path), (identity, path)
