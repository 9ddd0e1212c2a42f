import pytest
from envoy.config.listener.v3 import listener_pb2
from envoy.service.discovery.v3 import discovery_pb2

from bothways.xds import names
from bothways.xds.resource import Deferred, Resource, resource_of
from bothways.xds.response import Response


def response(type_url: str, *resources: Resource) -> Response:
    return Response(type_url, "7", "v1", resources, ("gone",))


def test_it_is_the_message_of_the_protocol() -> None:
    resource = resource_of(listener_pb2.Listener(name="a"))
    found = response(names.LISTENER_TYPE, resource)
    wanted = discovery_pb2.DeltaDiscoveryResponse(
        system_version_info="v1",
        type_url=names.LISTENER_TYPE,
        nonce="7",
        resources=[discovery_pb2.Resource(name="a", version=resource.version, resource=resource.packed)],
        removed_resources=["gone"],
    )
    assert found.message() == wanted
    assert discovery_pb2.DeltaDiscoveryResponse.FromString(found.serialized()[0]) == wanted


def test_what_is_on_demand_goes_as_clusters_on_a_stream_of_its_own() -> None:
    found = response(names.ON_DEMAND_TYPE)
    assert found.message().type_url == names.ON_DEMAND_TYPE
    assert discovery_pb2.DeltaDiscoveryResponse.FromString(found.serialized()[0]).type_url == names.CLUSTER_TYPE


def test_nothing_is_packed_before_it_is_written() -> None:
    made: list[str] = []

    def make() -> object:
        made.append("now")
        return resource_of(listener_pb2.Listener(name="a")).packed

    found = response(names.LISTENER_TYPE, Deferred("a", "1", make))
    assert made == []
    [written] = discovery_pb2.DeltaDiscoveryResponse.FromString(found.serialized()[0]).resources
    assert (written.name, written.version, written.resource.type_url) == ("a", "1", names.LISTENER_TYPE)
    found.serialized()
    assert made == ["now"]


def test_what_cannot_be_packed_is_left_out_by_name_and_all_else_goes() -> None:
    good = resource_of(listener_pb2.Listener(name="good"))
    found = response(names.LISTENER_TYPE, Deferred("bad", "1", lambda: 1 // 0), good)
    written, failed = found.serialized()
    message = discovery_pb2.DeltaDiscoveryResponse.FromString(written)
    assert ([each.name for each in message.resources], [*message.removed_resources]) == (["good"], ["gone"])
    why = "ZeroDivisionError: integer division or modulo by zero"
    assert failed == {"bad": f"bad cannot be packed, so no node is sent it: {why}; report it"}
    with pytest.raises(ValueError, match="bad cannot be packed"):
        found.message()
