"""Small pieces that every builder needs: messages inside `Any`, durations, sources of configuration."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from envoy.config.core.v3 import (
    address_pb2,
    backoff_pb2,
    base_pb2,
    config_source_pb2,
    extension_pb2,
    grpc_service_pb2,
    substitution_format_string_pb2,
)
from google.protobuf import any_pb2, duration_pb2, struct_pb2
from xds.core.v3 import extension_pb2 as xds_extension_pb2

_BACK_OFF, _BACK_OFF_MOST = 0.2, 2.0
_LENGTH_DELIMITED = 2
_SEVEN_BITS, _MORE = 0x7F, 0x80


def any_of(message: Any) -> Any:
    """Return the message inside an `Any`, always with the same bytes for the same content."""
    packed = any_pb2.Any()
    packed.Pack(message, deterministic=True)
    return packed


def inside(kind: Any, path: Sequence[str], *content: bytes) -> list[bytes]:
    """Return the bytes of a message of this kind in which nothing is set but the field at the path, to `content`.

    `content` is a message in its encoded form, in pieces, and so is what is returned: the entries of 100,000 customers
    are 30 MB, which are copied once, by whoever joins them. Appended to another message of the kind, it is merged into
    that (Protocol Buffers, "Encoding": last one wins, and messages that come twice are merged).
    """
    descriptor, numbers = kind.DESCRIPTOR, []
    for name in path:
        field = descriptor.fields_by_name[name]
        numbers.append(field.number)
        descriptor = field.message_type
    heads: list[bytes] = []
    length = sum(map(len, content))
    for number in reversed(numbers):
        heads.append(_varint(number << 3 | _LENGTH_DELIMITED) + _varint(length))
        length += len(heads[-1])
    return [*reversed(heads), *content]


def extension(name: str, message: Any) -> Any:
    """Return an Envoy extension with its configuration."""
    return extension_pb2.TypedExtensionConfig(name=name, typed_config=any_of(message))


def matching_extension(name: str, message: Any) -> Any:
    """Return an extension as the matching API takes it: its type lives in another package."""
    return xds_extension_pb2.TypedExtensionConfig(name=name, typed_config=any_of(message))


def duration(seconds: float) -> Any:
    """Return a duration; `seconds` may be a fraction."""
    message = duration_pb2.Duration()
    message.FromTimedelta(timedelta(seconds=seconds))
    return message


def json_format(line: dict[str, str], content_type: str = "") -> Any:
    """Return a format of Envoy's that writes these values as JSON, filled in by its substitutions."""
    fields = {key: struct_pb2.Value(string_value=value) for key, value in line.items()}
    return substitution_format_string_pb2.SubstitutionFormatString(
        json_format=struct_pb2.Struct(fields=fields), content_type=content_type
    )


def over_ads() -> Any:
    """Return the source of configuration of everything dynamic: the one ADS stream."""
    return config_source_pb2.ConfigSource(
        ads=config_source_pb2.AggregatedConfigSource(),
        resource_api_version=config_source_pb2.ApiVersion.V3,
    )


def delta_stream(cluster: str) -> Any:
    """Return the source of a stream of delta xDS from the control plane, to which this cluster leads."""
    retry = base_pb2.RetryPolicy(
        retry_back_off=backoff_pb2.BackoffStrategy(
            base_interval=duration(_BACK_OFF), max_interval=duration(_BACK_OFF_MOST)
        )
    )
    return config_source_pb2.ApiConfigSource(
        api_type=config_source_pb2.ApiConfigSource.DELTA_GRPC,
        transport_api_version=config_source_pb2.ApiVersion.V3,
        set_node_on_first_message_only=True,
        grpc_services=[
            grpc_service_pb2.GrpcService(
                envoy_grpc=grpc_service_pb2.GrpcService.EnvoyGrpc(cluster_name=cluster, retry_policy=retry)
            )
        ],
    )


def over_own_stream(cluster: str) -> Any:
    """Return the source of configuration that has a stream of its own, beside that of ADS."""
    return config_source_pb2.ConfigSource(
        api_config_source=delta_stream(cluster), resource_api_version=config_source_pb2.ApiVersion.V3
    )


def tcp(host: str, port: int) -> Any:
    """Return a TCP address."""
    return address_pb2.Address(socket_address=address_pb2.SocketAddress(address=host, port_value=port))


def unix(path: str) -> Any:
    """Return the address of a unix socket, readable and writable by this user alone."""
    return address_pb2.Address(pipe=address_pb2.Pipe(path=path, mode=0o600))


def _varint(number: int) -> bytes:
    octets = bytearray()
    while number > _SEVEN_BITS:
        octets.append(number & _SEVEN_BITS | _MORE)
        number >>= 7
    octets.append(number)
    return bytes(octets)
