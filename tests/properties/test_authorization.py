"""Who may reach which route, read out of the built messages, is what the state says; for any state."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID
from envoy.config.rbac.v3 import rbac_pb2
from envoy.extensions.filters.http.rbac.v3 import rbac_pb2 as filter_pb2
from hypothesis import given
from hypothesis import strategies as st

from bothways.contract.document import Environment
from bothways.pki.chain import certificate_pem
from bothways.xds.names import RBAC_FILTER
from bothways.xds.route import inbound_routes
from bothways.xds.state import Address, Anchors, HubState, Identity, KeyPair, ServiceRoute


def anchors() -> Anchors:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CA")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    dated = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    return Anchors(certificate_pem(dated.sign(key, SHA256())))


PAIR = KeyPair("certificate", "key", "00")
EMPTY = HubState(
    environment=Environment.PPR,
    host="api.hub.example",
    port=443,
    inbound=Address("127.0.0.1", 443),
    egress=Address("127.0.0.1", 15001),
    probe_socket="/run/probe.sock",
    connectivity_socket="/run/connectivity.sock",
    access_log="/dev/null",
    server=PAIR,
    client=PAIR,
    trust=anchors(),
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
    """Return what Envoy does by these messages: the first route that matches, and the nearest map, for its own."""
    [host] = routes.virtual_hosts
    route = next(each for each in host.routes if matches(each.match, path))
    packed = route.typed_per_filter_config.get(RBAC_FILTER) or host.typed_per_filter_config[RBAC_FILTER]
    nearest = filter_pb2.RBACPerRoute()
    assert packed.Unpack(nearest)
    assert nearest.HasField("rbac")  # Without it the filter would be off.
    entry = nearest.rbac.matcher.matcher_tree.exact_match_map.map.get(identity.uri_id)
    if entry is None:
        return None
    action = rbac_pb2.Action()
    assert entry.action.typed_config.Unpack(action)
    assert (action.name, action.action) == (identity.tsp_id, rbac_pb2.RBAC.ALLOW)
    cluster: str = route.route.cluster
    return cluster


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
