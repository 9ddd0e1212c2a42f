from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from envoy.extensions.clusters.dns.v3 import dns_cluster_pb2
from envoy.extensions.upstreams.http.v3 import http_protocol_options_pb2

from bothways.pki.chain import certificate_pem
from bothways.xds.authorization import deny_special_addresses
from bothways.xds.cluster import as_probed, connectivity_cluster, customer_cluster, customer_digest, service_cluster
from bothways.xds.state import Anchors, CustomerServer, KeyPair, ServiceRoute
from bothways.xds.tls import customer_socket, service_socket

DNS = {
    "name": "envoy.cluster.dns",
    "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.clusters.dns.v3.DnsCluster",
        "dns_refresh_rate": "5s",
        "respect_dns_ttl": True,
        "dns_lookup_family": "V4_PREFERRED",
        "typed_dns_resolver_config": {
            "name": "envoy.network.dns_resolver.cares",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig",
                "query_timeout_seconds": "1",
                "query_tries": 2,
            },
        },
    },
}


def endpoints(cluster: str, address: dict[str, Any]) -> dict[str, Any]:
    return {"cluster_name": cluster, "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}]}


@pytest.fixture
def client(make_pair: Callable[[str], KeyPair]) -> KeyPair:
    return make_pair("client")


def options(version: str) -> dict[str, Any]:
    return {
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "common_http_protocol_options": {"idle_timeout": "4s"},
            "explicit_http_config": {version: {}},
        }
    }


def service_of(host: str, port: int, version: str) -> dict[str, Any]:
    return {
        "name": "service/tokens",
        "cluster_type": DNS,
        "wait_for_warm_on_init": False,
        "connect_timeout": "5s",
        "load_assignment": endpoints("service/tokens", {"socket_address": {"address": host, "port_value": port}}),
        "typed_extension_protocol_options": options(version),
        "per_connection_buffer_limit_bytes": 65536,
        "circuit_breakers": {
            "thresholds": [
                {"max_connections": 4096, "max_pending_requests": 4096, "max_requests": 4096, "max_retries": 64}
            ]
        },
        "outlier_detection": {
            "split_external_local_origin_errors": True,
            "consecutive_local_origin_failure": 5,
            "max_ejection_percent": 50,
            "enforcing_consecutive_5xx": 0,
            "enforcing_success_rate": 0,
            "enforcing_local_origin_success_rate": 0,
        },
    }


def test_a_service_is_called_over_plain_http_where_dns_says(shown: Callable[[Any], Any]) -> None:
    service = ServiceRoute("tokens", "/tokens", "tokens.internal", 8080, ())
    assert shown(service_cluster(service)) == service_of("tokens.internal", 8080, "http_protocol_options")


@pytest.mark.parametrize(
    ("http2", "version", "codec"),
    [(False, "http_protocol_options", {}), (True, "http2_protocol_options", {"codec_client_type": "HTTP2"})],
)
def test_a_service_is_called_over_tls_and_asked_how_it_is_where_it_says_so(
    shown: Callable[[Any], Any],
    anchors: Anchors,
    http2: bool,  # noqa: FBT001 - both settings are the point
    version: str,
    codec: dict[str, str],
) -> None:
    service = ServiceRoute(
        "tokens", "/tokens", "tokens.internal", 8443, (), anchors, http2=http2, health_path="/health"
    )
    check = {
        "timeout": "2s",
        "interval": "5s",
        "no_traffic_interval": "5s",
        "unhealthy_threshold": 3,
        "healthy_threshold": 1,
        "http_health_check": {"host": "tokens.internal", "path": "/health", **codec},
    }
    assert shown(service_cluster(service)) == service_of("tokens.internal", 8443, version) | {
        "transport_socket": shown(service_socket(service.host, anchors, http2=service.http2)),
        "health_checks": [check],
        "common_lb_config": {"healthy_panic_threshold": {}},
    }


def test_the_hubs_own_page_is_on_a_unix_socket(shown: Callable[[Any], Any]) -> None:
    address = {"pipe": {"path": "/run/connectivity.sock", "mode": 0o600}}
    assert shown(connectivity_cluster("/run/connectivity.sock")) == {
        "name": "connectivity",
        "type": "STATIC",
        "connect_timeout": "5s",
        "load_assignment": endpoints("connectivity", address),
        "typed_extension_protocol_options": options("http_protocol_options"),
    }


def test_a_customers_server_is_called_over_mutual_tls_behind_the_filter_for_addresses(
    shown: Callable[[Any], Any], server: CustomerServer
) -> None:
    address = {"socket_address": {"address": "callbacks.bank.example", "port_value": 8443}}
    guard = deny_special_addresses(loopback_allowed=False)
    name = f"customer/12345678/{customer_digest(server, danger_outbound_loopback=False)}"
    assert shown(customer_cluster(server, danger_outbound_loopback=False)) == {
        "name": name,
        "cluster_type": DNS,
        "wait_for_warm_on_init": True,
        "connect_timeout": "5s",
        "load_assignment": endpoints(name, address),
        "transport_socket": shown(customer_socket(server)),
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "common_http_protocol_options": {"max_connection_duration": "60s"},
                "explicit_http_config": {"http_protocol_options": {}},
                "http_filters": [
                    {"name": "envoy.filters.http.upstream_rbac", "typed_config": shown(guard)},
                    {
                        "name": "envoy.filters.http.upstream_codec",
                        "typed_config": {
                            "@type": "type.googleapis.com/envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec"
                        },
                    },
                ],
            }
        },
    }


@pytest.mark.parametrize("allowed", [False, True])
def test_the_danger_setting_and_nothing_else_opens_loopback(
    server: CustomerServer,
    allowed: bool,  # noqa: FBT001 - both settings are the point
) -> None:
    cluster = customer_cluster(server, danger_outbound_loopback=allowed)
    options = http_protocol_options_pb2.HttpProtocolOptions()
    [packed] = cluster.typed_extension_protocol_options.values()
    assert packed.Unpack(options)
    assert options.http_filters[0].typed_config == deny_special_addresses(loopback_allowed=allowed)


def test_each_address_of_a_name_is_an_endpoint_of_its_own_so_that_each_is_checked(server: CustomerServer) -> None:
    dns = dns_cluster_pb2.DnsCluster()
    assert customer_cluster(server, danger_outbound_loopback=False).cluster_type.typed_config.Unpack(dns)
    assert dns.all_addresses_in_single_endpoint is False


def test_another_client_certificate_changes_nothing_in_the_cluster_so_that_no_name_is_looked_up_again(
    server: CustomerServer, make_pair: Callable[[str], KeyPair]
) -> None:
    own = replace(server, client=make_pair("own"))
    assert customer_cluster(own, danger_outbound_loopback=False) == customer_cluster(
        server, danger_outbound_loopback=False
    )


def test_another_server_has_another_name_so_that_no_call_waits_for_a_cluster_that_changes(
    server: CustomerServer, make_ca: Callable[..., Any]
) -> None:
    other = Anchors(certificate_pem(make_ca("Another root")[1]))
    changes: tuple[dict[str, Any], ...] = ({"host": "other.example"}, {"port": 443}, {"anchors": other})
    changed = [replace(server, **each) for each in (*changes, {"spki_pins": ("ab" * 32,)})]
    digests = {customer_digest(each, danger_outbound_loopback=False) for each in (server, *changed)}
    digests.add(customer_digest(server, danger_outbound_loopback=True))
    assert len(digests) == 6
    same = replace(server, path="/elsewhere", established=False)
    assert customer_cluster(same, danger_outbound_loopback=False) == customer_cluster(
        server, danger_outbound_loopback=False
    )


def test_a_probe_calls_the_same_cluster_under_a_name_of_its_own(server: CustomerServer) -> None:
    cluster = customer_cluster(server, danger_outbound_loopback=False)
    probed = as_probed(cluster)
    digest = customer_digest(server, danger_outbound_loopback=False)
    assert probed.name == probed.load_assignment.cluster_name == f"probe/12345678/{digest}"
    assert not probed.wait_for_warm_on_init.value
    probed.wait_for_warm_on_init.value = True
    probed.name = probed.load_assignment.cluster_name = cluster.name
    assert probed == cluster
    with pytest.raises(ValueError, match="is no cluster of a customer"):
        as_probed(connectivity_cluster("/run/connectivity.sock"))


def test_the_clients_key_is_not_in_the_cluster(server: CustomerServer, client: KeyPair) -> None:
    cluster = customer_cluster(replace(server, client=client), danger_outbound_loopback=False)
    assert b"PRIVATE KEY" not in cluster.SerializeToString()
