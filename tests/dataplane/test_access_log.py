import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from tests.conftest import NOW

from bothways.connectivity.observation import FailedHandshake, RefusedRequest
from bothways.dataplane.access_log import Connection, Record, access_log_handler, read_records
from bothways.dataplane.ads import AdsServer
from bothways.xds.snapshot import Snapshot

HANDSHAKE = {
    "log": "failed-handshake",
    "source": "192.0.2.1",
    "fingerprint": "-",
    "reason": "HTTP_REQUEST",
    "flags": "NR",
    "server_name": "-",
    "ja4": "-",
    "certificate": "-",
    "port": "50000",
}
REQUEST = {
    "log": "refused-request",
    "source": "192.0.2.1",
    "fingerprint": "ab",
    "uri_id": "urn:x",
    "status": "403",
    "details": "rbac_access_denied",
    "flags": "-",
    "method": "GET",
    "path": "/tokens",
    "host": "api.hub.example",
}
CONNECTION = {"log": "connection", "source": "192.0.2.1", "fingerprint": "ab", "received": "70"}


def batch(*entries: dict[str, str]) -> Any:
    """Return a batch in the protocol as it is written today: its bytes are what counts."""
    request = logs_service_pb2.ExportLogsServiceRequest()
    resource = request.resource_logs.add()
    [scopes] = [field for field in resource.DESCRIPTOR.fields if field.number == 2]
    scope = getattr(resource, scopes.name).add()
    [records] = [field for field in scope.DESCRIPTOR.fields if field.number == 2]
    for entry in entries:
        record = getattr(scope, records.name).add(time_unix_nano=int(NOW.timestamp()) * 1_000_000_000)
        for key, value in entry.items():
            record.attributes.add(key=key).value.string_value = value
    return request


def test_each_log_is_read_into_its_record() -> None:
    assert [*read_records(batch(HANDSHAKE, REQUEST, CONNECTION))] == [
        FailedHandshake(NOW, "192.0.2.1", "HTTP_REQUEST", "NR"),
        RefusedRequest(
            NOW,
            "192.0.2.1",
            "ab",
            "urn:x",
            403,
            "rbac_access_denied",
            method="GET",
            path="/tokens",
            host="api.hub.example",
        ),
        Connection("ab", "192.0.2.1"),
    ]
    [failed] = read_records(batch(HANDSHAKE))
    assert isinstance(failed, FailedHandshake)
    assert (failed.at, failed.port) == (NOW, "50000")


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"log": "other"},
        {"log": "connection"},
        CONNECTION | {"received": "0"},
        CONNECTION | {"received": "many"},
        REQUEST | {"status": "-"},
        REQUEST | {"surprise": "x"},
        {key: value for key, value in REQUEST.items() if key != "status"},
        {"log": "failed-handshake"},
    ],
)
def test_what_is_not_as_we_asked_for_is_left_out(entry: dict[str, str]) -> None:
    assert [*read_records(batch(entry, HANDSHAKE))] == [FailedHandshake(NOW, "192.0.2.1", "HTTP_REQUEST", "NR")]


def test_what_a_stranger_makes_long_is_cut() -> None:
    long = HANDSHAKE | {"server_name": "x" * 100_000, "certificate": "y" * 100_000}
    [record] = read_records(batch(long))
    assert isinstance(record, FailedHandshake)
    assert (len(record.server_name), len(record.certificate)) == (1024, 32768)


def test_records_arrive_over_the_socket_of_the_control_plane(tmp_path: Path) -> None:
    taken: list[Record] = []

    async def send() -> None:
        handler = partial(access_log_handler, taken.extend)
        server = AdsServer(tmp_path / "ads.sock", Snapshot("1", {}), also=(handler,))
        await server.start()
        async with grpc.aio.insecure_channel(f"unix:{tmp_path / 'ads.sock'}") as channel:
            export = channel.unary_unary(
                "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
                request_serializer=logs_service_pb2.ExportLogsServiceRequest.SerializeToString,
                response_deserializer=logs_service_pb2.ExportLogsServiceResponse.FromString,
            )
            await export(batch(CONNECTION))
        await server.stop()

    asyncio.run(send())
    assert taken == [Connection("ab", "192.0.2.1")]
