"""What is served to a node whose agent is of an earlier release, and passes on the one stream of ADS alone."""

from dataclasses import replace

from envoy.config.listener.v3 import listener_pb2
from envoy.extensions.filters.http.on_demand.v3 import on_demand_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import http_connection_manager_pb2

from bothways.xds import names
from bothways.xds.resource import resource_of
from bothways.xds.snapshot import Snapshot
from bothways.xds.typed import any_of, over_ads


def over_one_stream(snapshot: Snapshot) -> Snapshot:
    """Return the snapshot with a listener of the egress that asks for customers' servers on ADS."""
    listeners = snapshot.of(names.LISTENER_TYPE)
    if names.EGRESS not in listeners:
        return snapshot
    listener = listener_pb2.Listener.FromString(listeners[names.EGRESS].packed.value)
    [chain] = listener.filter_chains
    [network] = chain.filters
    manager = http_connection_manager_pb2.HttpConnectionManager.FromString(network.typed_config.value)
    for each in manager.http_filters:
        if each.name == names.ON_DEMAND_FILTER:
            load = on_demand_pb2.OnDemand.FromString(each.typed_config.value)
            load.odcds.source.CopyFrom(over_ads())
            each.typed_config.CopyFrom(any_of(load))
    network.typed_config.CopyFrom(any_of(manager))
    changed = {**listeners, names.EGRESS: resource_of(listener)}
    return replace(snapshot, resources={**snapshot.resources, names.LISTENER_TYPE: changed})
