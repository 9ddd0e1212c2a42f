"""Pools of connections to customers: for a while after a client certificate changed, they are told apart by it.

Then a connection is used only by calls that want its certificate: the next call opens one, with what the secret holds
by then (secrets are pushed before routes). Calls under way, and the cluster with its addresses, stay as they are. Once
no connection can be older than the last change, nothing is told apart: it costs each call more than the lookup of its
route does.
"""

from typing import Any

from envoy.config.core.v3 import substitution_format_string_pb2
from envoy.config.core.v3.base_pb2 import DataSource
from envoy.config.route.v3 import route_pb2
from envoy.extensions.filters.common.set_filter_state.v3 import value_pb2
from envoy.extensions.filters.http.set_filter_state.v3 import set_filter_state_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2

from bothways.xds import names
from bothways.xds.typed import any_of

# What is of this kind, Envoy counts when it tells pools of connections apart.
_HASHABLE = "envoy.hashable_string"


def by_certificate() -> Any:
    """Return the filter that tells pools apart by the certificate that the route names in its metadata."""
    return http_connection_manager_pb2.HttpFilter(
        name=names.SET_FILTER_STATE_FILTER, typed_config=any_of(_fingerprint())
    )


def by_certificate_for_a_while() -> Any:
    """Return the same filter, which is off: routes switch it on by `told_apart`."""
    off = by_certificate()
    off.disabled = True
    return off


def told_apart(routes: bytes) -> bytes:
    """Return these encoded routes to customers with the filter on: 10,000 of them are not encoded again for it."""
    switch = {names.SET_FILTER_STATE_FILTER: any_of(_fingerprint())}
    # Two encoded messages, one behind the other, are one with the maps of both (Protocol Buffers, "Encoding").
    return routes + bytes(
        route_pb2.RouteConfiguration(typed_per_filter_config=switch).SerializeToString(deterministic=True)
    )


def _fingerprint() -> Any:
    fingerprint = value_pb2.FilterStateValue(
        object_key=names.CLIENT_CERTIFICATE_STATE,
        factory_key=_HASHABLE,
        format_string=substitution_format_string_pb2.SubstitutionFormatString(
            text_format_source=DataSource(
                inline_string=f"%METADATA(ROUTE:{names.METADATA}:{names.CLIENT_CERTIFICATE})%"
            )
        ),
        read_only=True,
        shared_with_upstream=value_pb2.FilterStateValue.ONCE,
    )
    return set_filter_state_pb2.Config(on_request_headers=[fingerprint])
