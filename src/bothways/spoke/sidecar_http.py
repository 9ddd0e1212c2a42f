"""How an Envoy of a spoke takes HTTP: listeners, limits, and answers of its own. The sidecar's parts, and the check's.

Values in, Envoy's JSON out, as in `sidecar`.
"""

from pathlib import Path
from typing import Any

from bothways.xds import names
from bothways.xds.state import Address

TYPE = "type.googleapis.com"
"""Where the names of Envoy's messages begin."""

PROBLEM = "urn:bothways:problem:sidecar"
"""The type of a problem that Envoy tells itself: why there is no answer of whom it was to ask."""

IDLE_TIMEOUT = 300
"""Seconds for which a connection or a stream may be silent, unless a route says otherwise."""

_BUFFER_BYTES, _HEADERS_KIB, _HEADERS_COUNT, _STREAMS = 1 << 16, 32, 100, 100


def listener(name: str, at: dict[str, Any], managed: dict[str, Any]) -> dict[str, Any]:
    """Return a listener `at` an address or a socket, with what `manager` makes."""
    return {
        "name": name,
        "stat_prefix": name,
        "address": at,
        "filter_chains": [{"filters": [{"name": names.HTTP_CONNECTION_MANAGER, "typed_config": managed}]}],
        "per_connection_buffer_limit_bytes": _BUFFER_BYTES,
        # With reuse_port a second sidecar would share the port silently.
        "enable_reuse_port": False,
    }


def manager(name: str, *routes: dict[str, Any]) -> dict[str, Any]:
    """Return the manager of HTTP whose requests take the first route that fits; what fails is told as a `PROBLEM`."""
    kind = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
    router = {"@type": f"{TYPE}/envoy.extensions.filters.http.router.v3.Router", "suppress_envoy_headers": True}
    problem = {
        "type": PROBLEM,
        "status": "%RESPONSE_CODE%",
        "detail": "%LOCAL_REPLY_BODY%",
        "reason": "%RESPONSE_CODE_DETAILS%",
        "upstream": "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
    }
    return {
        "@type": f"{TYPE}/{kind}",
        "stat_prefix": name,
        "codec_type": "AUTO",
        "use_remote_address": True,
        "route_config": {"name": name, "virtual_hosts": [{"name": name, "domains": ["*"], "routes": [*routes]}]},
        "http_filters": [{"name": names.ROUTER_FILTER, "typed_config": router}],
        "stream_idle_timeout": f"{IDLE_TIMEOUT}s",
        "common_http_protocol_options": {
            "idle_timeout": f"{IDLE_TIMEOUT}s",
            "headers_with_underscores_action": "REJECT_REQUEST",
            "max_headers_count": _HEADERS_COUNT,
        },
        "max_request_headers_kb": _HEADERS_KIB,
        "http2_protocol_options": {"max_concurrent_streams": _STREAMS},
        "server_header_transformation": "PASS_THROUGH",
        "local_reply_config": {
            "body_format": {"json_format": problem, "content_type": "application/problem+json"},
        },
    }


def address(of: Address) -> dict[str, Any]:
    """Return an address and port in Envoy's form."""
    return {"socket_address": {"address": of.host, "port_value": of.port}}


def unix_socket(path: Path) -> dict[str, Any]:
    """Return a unix socket for this user alone, in Envoy's form."""
    return {"pipe": {"path": str(path), "mode": 0o600}}
