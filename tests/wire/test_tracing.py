"""Traces through the real Envoy, to a real collector: whose trace a request belongs to, and what is told of it."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
from tests.collector import Collector, attributes, collecting
from tests.conftest import local_settings
from tests.eventually import eventually
from tests.wire.conftest import ISSUER, World, make_world
from tests.wire.test_outbound import established, serving

from bothways.demo.customer_ca import make_server_files

pytestmark = pytest.mark.envoy

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SAMPLED = f"00-{TRACE}-{PARENT}-01"
HEADERS = (("traceparent", SAMPLED), ("tracestate", "bank=1"), ("baggage", "user=4711"))
_SERVER, _CLIENT = 2, 3


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a short name: sockets stand in it."""
    return tmp_path_factory.mktemp("t")


@contextmanager
def traced(directory: Path, collector: Collector, scheme: str = "http", **settings: object) -> Iterator[World]:
    """Run a hub that sends all its traces there."""
    with ExitStack() as stack:
        address = f"{scheme}://localhost:{collector.port}"
        changed = replace(local_settings(), trace_collector=address, trace_percent=100, **settings)  # type: ignore[arg-type]
        yield make_world(stack, directory, changed)


def seen_by_service(world: World, headers: tuple[tuple[str, str], ...]) -> dict[str, str]:
    spoke, _ = world.connected()
    with world.open(spoke) as line:
        line.until("/tokens", 200)
        _, body = line.ask("/tokens?card=4711", headers)
    seen: dict[str, str] = json.loads(body)["headers"]
    return seen


def test_a_customers_trace_is_not_joined_and_its_request_has_one_of_the_hub(place: Path) -> None:
    with collecting() as collector, traced(place, collector) as world:
        seen = seen_by_service(world, HEADERS)
        # Envoy writes an empty one.
        assert seen.get("tracestate", "") == ""
        assert "baggage" not in seen
        [_, trace_id, span_id, flags] = seen["traceparent"].split("-")
        assert (trace_id != TRACE, flags) == (True, "01")
        eventually(lambda: collector.of(trace_id))
        [span] = collector.of(trace_id)
        told = attributes(span)
        assert (span.span_id.hex(), span.parent_span_id, span.kind) == (span_id, b"", _SERVER)
        assert {name for name, _ in collector.spans} == {"bothways-ppr"}
        assert (told["http.status_code"], told["bothways.customer"]) == ("200", ISSUER)
        assert told["guid:x-request-id"] == seen["x-request-id"]
        assert collector.of(TRACE) == []


def test_a_call_to_a_customer_is_in_the_trace_of_the_service_and_leads_the_customer_to_it(place: Path) -> None:
    with (
        collecting() as collector,
        traced(place, collector) as world,
        serving(place) as serve,
    ):
        server = serve(world, "A1", "a1.localhost")
        established(world, server)
        settings = world.hub.settings
        address = f"http://{settings.egress_address}:{settings.egress_port}/notify"
        headers = {"Bothways-Customer": "A1", "traceparent": SAMPLED}
        assert httpx2.get(address, headers=headers, timeout=30, trust_env=False).status_code == 200
        call = server.calls.get(timeout=30)
        eventually(lambda: collector.of(TRACE))
        [span] = collector.of(TRACE)
        assert (span.parent_span_id.hex(), span.kind) == (PARENT, _CLIENT)
        sent = {name.lower(): value for name, value in call.headers}
        assert sent["traceparent"] == f"00-{TRACE}-{span.span_id.hex()}-01"
        assert attributes(span)["upstream_cluster"].split("/")[:2] == ["customer", "A1"]


def test_customers_are_joined_where_the_operator_says_so_and_the_collector_is_known_by_its_ca(place: Path) -> None:
    files = make_server_files(place, "Collector", "localhost")
    with (
        collecting(files) as collector,
        traced(place, collector, "https", trace_join_customers=True, trace_ca_file=str(files.chain)) as world,
    ):
        seen = seen_by_service(world, HEADERS)
        assert seen["traceparent"].split("-")[1] == TRACE
        assert (seen["tracestate"], seen["baggage"]) == ("bank=1", "user=4711")
        eventually(lambda: collector.of(TRACE))
        [span] = collector.of(TRACE)
        assert span.parent_span_id.hex() == PARENT


@pytest.mark.soak
def test_a_collector_that_is_away_costs_no_call(place: Path) -> None:
    with collecting() as collector:
        gone = collector
    with traced(place, gone) as world:
        assert "traceparent" in seen_by_service(world, ())
