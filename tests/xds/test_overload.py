from collections.abc import Callable
from typing import Any

from bothways.xds.overload import overload_manager

MONITORS = "type.googleapis.com/envoy.extensions.resource_monitors"


def test_connections_and_memory_have_an_end_and_requests_are_shed_last(shown: Callable[[Any], Any]) -> None:
    def at(share: float) -> list[dict[str, Any]]:
        return [{"name": "envoy.resource_monitors.fixed_heap", "threshold": {"value": share}}]

    assert shown(overload_manager()) == {
        "refresh_interval": "0.250s",
        "resource_monitors": [
            {
                "name": "envoy.resource_monitors.global_downstream_max_connections",
                "typed_config": {
                    "@type": f"{MONITORS}.downstream_connections.v3.DownstreamConnectionsConfig",
                    "max_active_downstream_connections": "50000",
                },
            },
            {
                "name": "envoy.resource_monitors.fixed_heap",
                "typed_config": {
                    "@type": f"{MONITORS}.fixed_heap.v3.FixedHeapConfig",
                    "max_heap_size_bytes": "4294967296",
                },
            },
        ],
        "actions": [
            {"name": "envoy.overload_actions.shrink_heap", "triggers": at(0.9)},
            {"name": "envoy.overload_actions.disable_http_keepalive", "triggers": at(0.95)},
            {"name": "envoy.overload_actions.reject_incoming_connections", "triggers": at(0.95)},
            {"name": "envoy.overload_actions.stop_accepting_requests", "triggers": at(0.98)},
        ],
    }
