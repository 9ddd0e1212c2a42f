import re

from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.listener.v3 import listener_pb2
from envoy.config.route.v3 import route_pb2
from envoy.extensions.transport_sockets.tls.v3 import secret_pb2

from bothways.xds import names
from bothways.xds.typed import any_of


def test_the_types_are_spelled_as_the_messages_are() -> None:
    messages = (secret_pb2.Secret(), cluster_pb2.Cluster(), listener_pb2.Listener(), route_pb2.RouteConfiguration())
    assert tuple(any_of(each).type_url for each in messages) == names.PUSH_ORDER


def test_what_is_referred_to_is_pushed_before_what_refers_to_it() -> None:
    order = names.PUSH_ORDER.index
    # Clusters and listeners refer to secrets, listeners to routes that Envoy then asks for, routes to clusters.
    assert order(names.SECRET_TYPE) < order(names.CLUSTER_TYPE) < order(names.LISTENER_TYPE) < order(names.ROUTE_TYPE)


def test_a_service_and_a_customer_of_one_name_have_two_clusters() -> None:
    assert names.service_cluster("a1") == "service/a1"
    assert names.customer_cluster("a1") == "customer/a1"


def test_no_service_or_customer_can_take_the_name_of_a_cluster_of_the_hub() -> None:
    assert "/" not in names.ADS_CLUSTER + names.CONNECTIVITY_CLUSTER


def test_every_header_that_the_hub_sets_about_the_caller_is_removed_when_the_caller_sends_it() -> None:
    ours = {names.CUSTOMER_HEADER, names.ENVIRONMENT_HEADER, names.CERTIFICATE_HEADER}
    assert ours <= set(names.IDENTITY_HEADERS)


def test_the_headers_that_proxies_use_for_client_certificates_are_removed() -> None:
    # RFC 9440 section 2; Envoy's XFCC; the customary ones of nginx, Apache and HAProxy.
    assert {"client-cert", "client-cert-chain", "x-forwarded-client-cert", "x-ssl-client-cert"} <= set(
        names.IDENTITY_HEADERS
    )


def test_headers_are_lower_case_and_hyphenated_as_http_2_has_them() -> None:
    headers = (*names.IDENTITY_HEADERS, names.UPSTREAM_TLS_HEADER, names.UPSTREAM_SUBJECT_HEADER)
    assert [each for each in headers if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", each)] == []
    assert len(set(headers)) == len(headers)


def test_each_opening_of_the_endpoint_has_routes_of_its_own() -> None:
    assert [names.inbound_routes(opening) for opening in range(3)] == ["inbound", "inbound/1", "inbound/2"]
