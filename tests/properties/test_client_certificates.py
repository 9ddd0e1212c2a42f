"""Which client certificate each customer's cluster refers to, read out of the built messages; for any state (R13)."""

from dataclasses import replace

from envoy.config.cluster.v3 import cluster_pb2
from envoy.extensions.transport_sockets.tls.v3 import secret_pb2, tls_pb2
from hypothesis import given
from hypothesis import strategies as st
from tests.properties.test_authorization import ANCHORS, EMPTY, made

from bothways.xds import names
from bothways.xds.snapshot import Snapshot, build_snapshot
from bothways.xds.state import CustomerServer, HubState, KeyPair

CURRENT, *OTHERS = [made()[1] for _ in range(4)]
TSP_IDS = ("1", "12", "2", "A", "a", "1-2")


@st.composite
def states(draw: st.DrawFn) -> HubState:
    """Draw customers, some of them with another certificate than the hub's current one; also with one of another's."""
    chosen = draw(st.lists(st.sampled_from(TSP_IDS), unique=True))
    customers = tuple(
        CustomerServer(
            tsp_id,
            f"{tsp_id.lower()}.example",
            443,
            "",
            ANCHORS,
            established=draw(st.booleans()),
            client=draw(st.none() | st.sampled_from(OTHERS)),
        )
        for tsp_id in chosen
    )
    return replace(EMPTY, client=CURRENT, customers=customers)


def keys(snapshot: Snapshot) -> dict[str, str]:
    """Return the private key of each secret that is a certificate."""
    found = {}
    for name, resource in snapshot.of(names.SECRET_TYPE).items():
        secret = secret_pb2.Secret()
        assert resource.packed.Unpack(secret)
        if secret.HasField("tls_certificate"):
            found[name] = secret.tls_certificate.private_key.inline_string
    return found


def referred(snapshot: Snapshot) -> dict[str, list[str]]:
    """Return the secrets that each cluster takes its certificate from."""
    found = {}
    for name, resource in snapshot.of(names.CLUSTER_TYPE).items():
        cluster, context = cluster_pb2.Cluster(), tls_pb2.UpstreamTlsContext()
        assert resource.packed.Unpack(cluster)
        if cluster.transport_socket.typed_config.Unpack(context):
            assert not context.common_tls_context.tls_certificates
            configured = context.common_tls_context.tls_certificate_sds_secret_configs
            found[name] = [each.name for each in configured]
    return found


def wanted(state: HubState) -> dict[str, KeyPair]:
    return {each.tsp_id: each.client or state.client for each in state.customers}


@given(states())
def test_each_cluster_has_the_certificate_of_its_own_customer_and_nobody_elses(state: HubState) -> None:
    snapshot = build_snapshot(state)
    shown, secrets = referred(snapshot), keys(snapshot)
    owners = {(names.customer_of(cluster) or ("", ""))[0]: each for cluster, each in shown.items()}
    assert {tsp_id: [secrets[name] for name in each] for tsp_id, each in owners.items()} == {
        tsp_id: [pair.key_pem] for tsp_id, pair in wanted(state).items()
    }
    # No two refer to one secret: what is put into it for the one never reaches the other.
    named = [name for each in shown.values() for name in each]
    assert len(named) == len(set(named))


@given(states(), states())
def test_no_change_of_certificates_changes_a_cluster(before: HubState, after: HubState) -> None:
    kept = {each.tsp_id: each for each in before.customers}
    moved = tuple(replace(kept[each.tsp_id], client=each.client) for each in after.customers if each.tsp_id in kept)
    same = tuple(kept[each.tsp_id] for each in moved)
    one, other = (build_snapshot(replace(before, customers=each)) for each in (same, moved))
    assert one.of(names.CLUSTER_TYPE) == other.of(names.CLUSTER_TYPE)
