import re

import pytest
from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.core.v3 import extension_pb2
from envoy.config.listener.v3 import listener_pb2
from envoy.config.route.v3 import route_pb2
from envoy.extensions.transport_sockets.tls.v3 import secret_pb2

from bothways.xds import names
from bothways.xds.typed import any_of


def test_the_types_are_spelled_as_the_messages_are() -> None:
    messages = (
        extension_pb2.TypedExtensionConfig(),
        secret_pb2.Secret(),
        cluster_pb2.Cluster(),
        listener_pb2.Listener(),
        route_pb2.RouteConfiguration(),
    )
    assert tuple(any_of(each).type_url for each in messages) == names.PUSH_ORDER


def test_what_is_referred_to_is_pushed_before_what_refers_to_it() -> None:
    order = names.PUSH_ORDER.index
    # Clusters and listeners refer to secrets, listeners to routes that Envoy then asks for, routes to clusters.
    assert order(names.SECRET_TYPE) < order(names.CLUSTER_TYPE) < order(names.LISTENER_TYPE) < order(names.ROUTE_TYPE)
    # Listeners refer to the list of the withdrawn, and it goes before the maps that need it.
    assert order(names.EXTENSION_TYPE) == 0


def test_a_service_and_a_customer_of_one_name_have_two_clusters() -> None:
    assert names.service_cluster("a1") == "service/a1"
    assert names.customer_cluster("a1", "ab") == "customer/a1/ab"


def test_what_serves_one_customer_is_told_from_what_all_need() -> None:
    cluster, probed = names.customer_cluster("a1", "ab"), names.probe_cluster("a1", "ab")
    assert [names.customer_of(each) for each in (cluster, probed, names.PROBE)] == [("a1", "ab"), None, None]
    secret = names.client_certificate("a1")
    shared = (names.PROBE, names.PROBE_TRUST, names.service_cluster("a1"), names.EGRESS)
    for each in (cluster, secret, probed):
        assert (names.of_one_customer(each), names.on_demand(each)) == (True, each != probed)
    assert not any(names.of_one_customer(each) or names.on_demand(each) for each in shared)
    found = [(kind, each) for kind in names.PUSH_ORDER for each in (cluster, probed, *shared)]
    assert {each for each in found if names.of_probes(*each)} == {
        (names.ROUTE_TYPE, names.PROBE),
        *((kind, probed) for kind in names.PUSH_ORDER if kind != names.ROUTE_TYPE),
    }


def test_no_service_or_customer_can_take_the_name_of_a_cluster_of_the_hub() -> None:
    assert "/" not in names.ADS_CLUSTER + names.CONNECTIVITY_CLUSTER


def test_every_header_that_the_hub_sets_about_the_caller_is_removed_when_the_caller_sends_it() -> None:
    ours = (names.CUSTOMER_HEADER, names.ENVIRONMENT_HEADER, names.CERTIFICATE_HEADER, names.CLIENT_CERT_HEADER)
    assert [each for each in ours if not names.untrusted(each)] == []


@pytest.mark.parametrize(
    "header",
    [
        # RFC 9440 section 2; Envoy's XFCC; the customary ones of nginx, Apache, HAProxy, Traefik, AWS, Azure.
        "client-cert",
        "client-cert-chain",
        "x-forwarded-client-cert",
        "x-forwarded-tls-client-cert",
        "x-ssl-client-cert",
        "x-ssl-cert",
        "x-client-dn",
        "ssl-client-verify",
        "x-amzn-mtls-clientcert",
        "x-arr-clientcert",
        "x-tls-client-cert",
        "remote-user",
        # The same to a server that makes variables of them.
        "bothways.customer",
        "client~cert",
        "x.forwarded-client!cert",
        "remote_user",
        # Where it came from (RFC 7239, and before it).
        "forwarded",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-real-ip",
        "true-client-ip",
        # Orders to Envoy.
        "x-envoy-retry-on",
        "x-envoy-upstream-rq-timeout-ms",
        # Another path than the one that was checked.
        "x-original-url",
        "x-rewrite-url",
        "x-original-host",
        "x-http-host-override",
        # CVE-2016-5385.
        "proxy",
    ],
)
def test_what_proxies_and_frameworks_believe_is_removed(header: str) -> None:
    assert names.untrusted(header)


@pytest.mark.parametrize(
    "header",
    [
        *("authorization", "content-type", "x-request-id", "x-correlation-id", "traceparent"),
        *(":path", ":authority", "host", "proxy-authorization", "client-id", "x-clients", "forwarded-by", "xssl-a"),
    ],
)
def test_what_is_the_customers_own_stays(header: str) -> None:
    assert not names.untrusted(header)


def test_headers_are_lower_case_and_hyphenated_as_http_2_has_them() -> None:
    headers = (*names.UNTRUSTED_HEADERS, *(f"{prefix}x" for prefix in names.UNTRUSTED_PREFIXES))
    told = (names.UPSTREAM_TLS_HEADER, names.UPSTREAM_SUBJECT_HEADER)
    spelled = [each for each in (*headers, *told) if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", each)]
    assert spelled == []


def test_each_opening_of_the_endpoint_has_routes_of_its_own() -> None:
    assert [names.inbound_routes(opening) for opening in range(3)] == ["inbound", "inbound/1", "inbound/2"]
    assert all(names.is_inbound_routes(names.inbound_routes(opening)) for opening in range(3))
    assert not any(names.is_inbound_routes(each) for each in (names.EGRESS, names.PROBE))
