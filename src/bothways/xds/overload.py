"""What Envoy does when there is too much: the limits on the whole process, and what it sheds first."""

from typing import Any

from envoy.config.overload.v3 import overload_pb2
from envoy.extensions.resource_monitors.downstream_connections.v3 import downstream_connections_pb2
from envoy.extensions.resource_monitors.fixed_heap.v3 import fixed_heap_pb2

from bothways.xds.typed import any_of, duration

CONNECTIONS = 50_000
_HEAP_BYTES = 4 << 30
_LOOK = 0.25
_HEAP = "envoy.resource_monitors.fixed_heap"
# In this order: give back what is free, let no connection be kept for the next request, take no new ones, and last
# answer 503 to requests on the ones that are open.
_ACTIONS = (
    ("envoy.overload_actions.shrink_heap", 0.90),
    ("envoy.overload_actions.disable_http_keepalive", 0.95),
    ("envoy.overload_actions.reject_incoming_connections", 0.95),
    ("envoy.overload_actions.stop_accepting_requests", 0.98),
)


def overload_manager() -> Any:
    """Return the overload manager: so many connections of customers, so much memory."""
    monitors = {
        "envoy.resource_monitors.global_downstream_max_connections": (
            downstream_connections_pb2.DownstreamConnectionsConfig(max_active_downstream_connections=CONNECTIONS)
        ),
        _HEAP: fixed_heap_pb2.FixedHeapConfig(max_heap_size_bytes=_HEAP_BYTES),
    }
    return overload_pb2.OverloadManager(
        refresh_interval=duration(_LOOK),
        resource_monitors=[
            overload_pb2.ResourceMonitor(name=name, typed_config=any_of(config)) for name, config in monitors.items()
        ],
        actions=[
            overload_pb2.OverloadAction(
                name=name,
                triggers=[overload_pb2.Trigger(name=_HEAP, threshold=overload_pb2.ThresholdTrigger(value=share))],
            )
            for name, share in _ACTIONS
        ],
    )
