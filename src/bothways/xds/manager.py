"""HTTP connection managers: how requests are read, what is taken off them, and how much one caller may use."""

from typing import Any

from envoy.config.core.v3 import address_pb2, config_source_pb2, protocol_pb2
from envoy.extensions.filters.http.on_demand.v3 import on_demand_pb2
from envoy.extensions.filters.http.router.v3 import router_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2

from bothways.registry.service import TIMEOUT_MOST
from bothways.xds import names
from bothways.xds.authorization import deny_all
from bothways.xds.client_cert import client_cert_filter
from bothways.xds.egress_reply import replies_to_services
from bothways.xds.pools import by_certificate, by_certificate_for_a_while
from bothways.xds.reply import replies_to_customers
from bothways.xds.state import HubState, Tracing
from bothways.xds.tracing import trace, untrusted_trace_headers
from bothways.xds.typed import any_of, duration, over_ads, over_own_stream
from bothways.xds.untrusted import trailers_filter, without_untrusted_headers

Manager = http_connection_manager_pb2.HttpConnectionManager

# Longer than the lookup of a name whose DNS server is silent: that failure is told as what it is.
_LOAD_TIMEOUT = 10.0
_HEADERS_TIMEOUT = 10.0
_IDLE_TIMEOUT = 300.0
# To send a request a quarter of an hour, and to answer it as long as a service may say.
_STREAM_LIFE = 900.0 + TIMEOUT_MOST
_HEADERS_KIB = 32
_HEADERS_COUNT = 100
_STREAMS = 100
_STREAM_WINDOW, _CONNECTION_WINDOW = 1 << 16, 1 << 20


def endpoint_manager(state: HubState) -> Any:
    """Return the endpoint's: nobody passes but by a route, and nothing that a customer says of itself is believed."""
    manager = plain_manager(names.INBOUND)
    # Who may enter is asked last: what it finds is who the customer is, to services and in logs.
    authorization = [
        http_connection_manager_pb2.HttpFilter(name=name, typed_config=any_of(deny_all()))
        for name in (names.SERVICE_RBAC_FILTER, names.RBAC_FILTER)
    ]
    [router] = manager.http_filters
    del manager.http_filters[:]
    manager.http_filters.extend([_withdrawn(), *authorization, client_cert_filter(), trailers_filter(), router])
    manager.use_remote_address.value = True
    # A customer behind a private address is no part of the hub: nobody is, who comes in here.
    manager.internal_address_config.CopyFrom(_nobody())
    # What a customer sends of it goes; what services are told is set by the routes (`route`).
    manager.forward_client_cert_details = Manager.SANITIZE
    untrusted = without_untrusted_headers(untrusted_trace_headers(state.tracing))
    manager.early_header_mutation_extensions.append(untrusted)
    trace(manager, state.tracing)
    manager.local_reply_config.CopyFrom(replies_to_customers(state))
    manager.common_http_protocol_options.max_stream_duration.CopyFrom(duration(_STREAM_LIFE))
    return manager


def customers_manager(name: str, tracing: Tracing | None) -> Any:
    """Return that of calls to customers: the hub's services call those whose flow is established, probes all.

    What a probe finds is of the certificate that is shown now, whenever it asks.
    """
    manager = plain_manager(name)
    del manager.http_filters[:]
    before = [_on_demand(), by_certificate_for_a_while()] if name == names.EGRESS else [by_certificate()]
    # Statistics of customers' clusters are not kept (bootstrap), and to make their names costs each call.
    manager.http_filters.extend([*before, _router(counts_by_cluster=False)])
    manager.local_reply_config.CopyFrom(replies_to_services())
    trace(manager, tracing)
    return manager


def plain_manager(name: str) -> Any:
    """Return what all listeners share."""
    manager = Manager(
        stat_prefix=name,
        codec_type=Manager.AUTO,
        rds=http_connection_manager_pb2.Rds(route_config_name=name, config_source=over_ads()),
        http_filters=[_router()],
        request_headers_timeout=duration(_HEADERS_TIMEOUT),
        stream_idle_timeout=duration(_IDLE_TIMEOUT),
        common_http_protocol_options=protocol_pb2.HttpProtocolOptions(
            idle_timeout=duration(_IDLE_TIMEOUT),
            headers_with_underscores_action=protocol_pb2.HttpProtocolOptions.REJECT_REQUEST,
        ),
        path_with_escaped_slashes_action=Manager.REJECT_REQUEST,
        merge_slashes=True,
        always_set_request_id_in_response=True,
    )
    manager.normalize_path.value = True
    manager.max_request_headers_kb.value = _HEADERS_KIB
    manager.common_http_protocol_options.max_headers_count.value = _HEADERS_COUNT
    http2 = manager.http2_protocol_options
    http2.max_concurrent_streams.value = _STREAMS
    http2.initial_stream_window_size.value = _STREAM_WINDOW
    http2.initial_connection_window_size.value = _CONNECTION_WINDOW
    return manager


def _router(*, counts_by_cluster: bool = True) -> Any:
    router = router_pb2.Router(suppress_envoy_headers=True)
    if not counts_by_cluster:
        router.dynamic_stats.value = False
    return http_connection_manager_pb2.HttpFilter(name=names.ROUTER_FILTER, typed_config=any_of(router))


def _withdrawn() -> Any:
    """Return the filter of those who were taken away, and stand in the maps as yet.

    A listener that starts waits until it is told who they are; one that is not told lets nobody pass.
    """
    nobody = any_of(deny_all())
    source = config_source_pb2.ExtensionConfigSource(
        config_source=over_ads(), default_config=nobody, type_urls=[nobody.type_url]
    )
    return http_connection_manager_pb2.HttpFilter(name=names.WITHDRAWN_FILTER, config_discovery=source)


def _on_demand() -> Any:
    # On ADS, Envoy would ask for none while another waits for its name: pause is by type and stream.
    source = over_own_stream(names.ADS_CLUSTER)
    load = on_demand_pb2.OnDemandCds(source=source, timeout=duration(_LOAD_TIMEOUT))
    return http_connection_manager_pb2.HttpFilter(
        name=names.ON_DEMAND_FILTER, typed_config=any_of(on_demand_pb2.OnDemand(odcds=load))
    )


def _nobody() -> Any:
    """Return the addresses that count as inside the hub: an empty list would mean Envoy's own idea of it."""
    unroutable = address_pb2.CidrRange(address_prefix="100::")
    unroutable.prefix_len.value = 128
    return Manager.InternalAddressConfig(cidr_ranges=[unroutable])
