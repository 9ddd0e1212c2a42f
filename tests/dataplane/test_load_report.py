import asyncio
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import grpc.aio
from envoy.service.load_stats.v3 import lrs_pb2

from bothways.dataplane.ads import AdsServer
from bothways.dataplane.load_report import METHOD, REPORT_EVERY, SERVICE, Load, load_report_handler, read_loads
from bothways.xds import names
from bothways.xds.snapshot import Snapshot


def cluster_of(tsp_id: str) -> str:
    return names.customer_cluster(tsp_id, "0" * 16)


def report(**customers: bool) -> Any:
    """Return a report of these customers, by their tspId: whether they were called."""
    request = lrs_pb2.LoadStatsRequest()
    for tsp_id, called in customers.items():
        stats = request.cluster_stats.add(cluster_name=cluster_of(tsp_id))
        if called:
            stats.upstream_locality_stats.add(total_issued_requests=1)
    return request


def reporting(channel: grpc.aio.Channel) -> Any:
    """Return a call on which reports are sent, as Envoy sends them."""
    return channel.stream_stream(
        f"/{SERVICE}/{METHOD}",
        request_serializer=lrs_pb2.LoadStatsRequest.SerializeToString,
        response_deserializer=lrs_pb2.LoadStatsResponse.FromString,
    )()


def test_a_report_tells_who_was_called_and_of_customers_alone() -> None:
    request = report(A=True, B=False)
    request.cluster_stats.add(cluster_name=names.ADS_CLUSTER).upstream_locality_stats.add(total_requests_in_progress=1)
    request.cluster_stats.add(cluster_name=names.probe_cluster("A", "0" * 16)).upstream_locality_stats.add()
    assert [*read_loads(request)] == [Load(cluster_of("A"), called=True), Load(cluster_of("B"), called=False)]


def served(
    socket: Path, take: Callable[[Iterable[Load]], None] | None, talk: Callable[[Any], Coroutine[Any, Any, None]]
) -> None:
    """Serve the handler to a node that sends its first message and then talks; the stream ends in good order."""

    async def run() -> None:
        server = AdsServer(socket, Snapshot("1", {}), also=(partial(load_report_handler, take),))
        await server.start()
        async with grpc.aio.insecure_channel(f"unix:{socket}") as channel:
            call = reporting(channel)
            await call.write(lrs_pb2.LoadStatsRequest())
            await talk(call)
            await call.done_writing()
            assert await call.read() is grpc.aio.EOF
        await server.stop()

    asyncio.run(run())


def test_a_node_is_asked_once_for_reports_of_all_clusters(tmp_path: Path) -> None:
    taken: list[Load] = []

    async def talk(call: Any) -> None:
        asked = await call.read()
        assert (asked.send_all_clusters, asked.load_reporting_interval.seconds) == (True, REPORT_EVERY)
        await call.write(report(A=False))
        await call.write(report(A=True))

    served(tmp_path / "ads.sock", taken.extend, talk)
    assert taken == [Load(cluster_of("A"), called=False), Load(cluster_of("A"), called=True)]


def test_whoever_stands_in_for_the_hub_hears_a_node_and_asks_for_nothing(tmp_path: Path) -> None:
    async def talk(call: Any) -> None:
        await call.write(report(A=True))

    served(tmp_path / "ads.sock", None, talk)
