from collections.abc import Callable
from typing import Any

import pytest
from envoy.config.core.v3 import address_pb2, base_pb2, config_source_pb2
from envoy.extensions.matching.common_inputs.ssl.v3 import ssl_inputs_pb2
from google.protobuf import duration_pb2, struct_pb2
from xds.type.matcher.v3 import matcher_pb2

from bothways.xds.typed import (
    any_of,
    delta_stream,
    duration,
    extension,
    inside,
    json_format,
    matching_extension,
    over_ads,
    over_own_stream,
    tcp,
    unix,
)


def test_a_message_comes_out_of_its_any_as_it_went_in() -> None:
    message = base_pb2.DataSource(inline_string="text")
    packed = any_of(message)
    unpacked = base_pb2.DataSource()
    assert packed.type_url == "type.googleapis.com/envoy.config.core.v3.DataSource"
    assert packed.Unpack(unpacked)
    assert unpacked == message


def test_equal_maps_have_equal_bytes_in_whatever_order_they_were_filled() -> None:
    names = [f"name-{number}" for number in range(50)]
    one, other = (
        struct_pb2.Struct(fields={name: struct_pb2.Value(string_value=name) for name in order})
        for order in (names, list(reversed(names)))
    )
    assert any_of(one).value == any_of(other).value


@pytest.mark.parametrize("make", [extension, matching_extension])
def test_an_extension_is_its_name_and_its_configuration(make: Any) -> None:
    message = base_pb2.DataSource(inline_string="text")
    made = make("some.extension", message)
    assert made.name == "some.extension"
    assert made.typed_config == any_of(message)


def test_the_two_apis_for_extensions_have_a_type_each() -> None:
    message = base_pb2.DataSource()
    assert extension("x", message).DESCRIPTOR.full_name == "envoy.config.core.v3.TypedExtensionConfig"
    assert matching_extension("x", message).DESCRIPTOR.full_name == "xds.core.v3.TypedExtensionConfig"


def test_a_json_format_has_these_values_and_a_content_type_if_one_is_given(shown: Any) -> None:
    assert shown(json_format({"a": "%X%"})) == {"json_format": {"a": "%X%"}}
    assert shown(json_format({"a": "%X%"}, "text/x")) == {"json_format": {"a": "%X%"}, "content_type": "text/x"}


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (5.0, duration_pb2.Duration(seconds=5)),
        (0.2, duration_pb2.Duration(nanos=200_000_000)),
        (0.0, duration_pb2.Duration()),
    ],
)
def test_seconds_may_be_a_fraction(seconds: float, expected: Any) -> None:
    assert duration(seconds) == expected


def test_dynamic_configuration_comes_over_the_one_stream_of_version_3() -> None:
    source = over_ads()
    assert source.WhichOneof("config_source_specifier") == "ads"
    assert source.resource_api_version == config_source_pb2.ApiVersion.V3


def test_a_stream_of_ones_own_is_delta_xds_from_the_cluster_and_comes_again_within_two_seconds(
    shown: Callable[[Any], Any],
) -> None:
    source = over_own_stream("ads")
    assert source.resource_api_version == config_source_pb2.ApiVersion.V3
    assert source.api_config_source == delta_stream("ads")
    assert shown(source)["api_config_source"] == {
        "api_type": "DELTA_GRPC",
        "transport_api_version": "V3",
        "set_node_on_first_message_only": True,
        "grpc_services": [
            {
                "envoy_grpc": {
                    "cluster_name": "ads",
                    "retry_policy": {"retry_back_off": {"base_interval": "0.200s", "max_interval": "2s"}},
                }
            }
        ],
    }


def test_a_tcp_address_is_host_and_port() -> None:
    assert tcp("127.0.0.1", 8443) == address_pb2.Address(
        socket_address=address_pb2.SocketAddress(address="127.0.0.1", port_value=8443)
    )


def test_a_unix_socket_is_for_this_user_alone() -> None:
    assert unix("/run/a.sock") == address_pb2.Address(pipe=address_pb2.Pipe(path="/run/a.sock", mode=0o600))


def test_a_field_at_a_path_is_merged_into_the_message_that_it_is_appended_to() -> None:
    tree = matcher_pb2.Matcher.MatcherTree
    content = tree.MatchMap(map={f"key-{number}": matcher_pb2.Matcher.OnMatch() for number in range(200)})
    before = matcher_pb2.Matcher(matcher_tree=tree(input=matching_extension("uri", ssl_inputs_pb2.UriSanInput())))
    half = len(encoded := content.SerializeToString()) // 2
    path = ("matcher_tree", "exact_match_map")
    appended = b"".join(inside(matcher_pb2.Matcher, path, encoded[:half], encoded[half:]))
    wanted = matcher_pb2.Matcher(matcher_tree=tree(input=before.matcher_tree.input, exact_match_map=content))
    assert matcher_pb2.Matcher.FromString(before.SerializeToString() + appended) == wanted
