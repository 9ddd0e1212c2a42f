from collections.abc import Callable
from dataclasses import replace
from typing import Any

from envoy.config.listener.v3 import listener_pb2

from bothways.xds import names
from bothways.xds.one_stream import over_one_stream
from bothways.xds.snapshot import Snapshot, build_snapshot
from bothways.xds.state import HubState


def test_the_egress_asks_for_servers_on_ads_and_all_else_stays(state: HubState, shown: Callable[[Any], Any]) -> None:
    snapshot = build_snapshot(state)
    changed = over_one_stream(snapshot)
    listeners = dict(changed.of(names.LISTENER_TYPE))
    egress = listeners.pop(names.EGRESS)
    before = dict(snapshot.of(names.LISTENER_TYPE))
    wanted = shown(listener_pb2.Listener.FromString(before.pop(names.EGRESS).packed.value))
    [network] = wanted["filter_chains"][0]["filters"]
    [load] = [each for each in network["typed_config"]["http_filters"] if each["name"] == names.ON_DEMAND_FILTER]
    source = load["typed_config"]["odcds"]["source"]
    assert source.pop("api_config_source")["api_type"] == "DELTA_GRPC"
    source["ads"] = {}
    assert shown(listener_pb2.Listener.FromString(egress.packed.value)) == wanted
    assert egress.version != snapshot.of(names.LISTENER_TYPE)[names.EGRESS].version
    assert listeners == before
    same = {**changed.resources, names.LISTENER_TYPE: snapshot.of(names.LISTENER_TYPE)}
    assert replace(changed, resources=same) == snapshot


def test_what_has_no_egress_is_as_it_was() -> None:
    empty = Snapshot("1", {})
    assert over_one_stream(empty) is empty
