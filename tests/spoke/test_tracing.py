"""Spans of the clients, by the real OpenTelemetry SDK, and nothing where a program has none."""

import asyncio
import sys
from collections.abc import Iterator

import httpx2
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.spoke.hubs import HOST, Hubs

from bothways.spoke import tracing
from bothways.spoke.client import AsyncClient, Client


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """Where the spans of a program go whose SDK is set up; the one of this process stays as it is."""
    kept, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    yield kept
    provider.shutdown()


def sent(span: ReadableSpan) -> str:
    return f"00-{span.context.trace_id:032x}-{span.context.span_id:016x}-{span.context.trace_flags:02x}"


def get(kind: str, hubs: Hubs, path: str) -> httpx2.Response:
    if kind == "Client":
        with Client(hubs.spoke, ask=hubs.question().ask) as client:
            return client.get(path)

    async def run() -> httpx2.Response:
        async with AsyncClient(hubs.spoke, ask=hubs.question().ask) as client:
            return await client.get(path)

    return asyncio.run(run())


@pytest.mark.parametrize("kind", ["Client", "AsyncClient"])
def test_a_call_is_a_span_under_that_of_its_caller_and_carries_it_on(
    kind: str, hubs: Hubs, exporter: InMemorySpanExporter
) -> None:
    with trace.get_tracer("application").start_as_current_span("payment") as above:
        answer = get(kind, hubs, "/tokens?card=4711")
    [span, _] = exporter.get_finished_spans()
    assert span.parent is not None
    assert (span.name, span.kind) == ("GET", trace.SpanKind.CLIENT)
    assert span.parent.span_id == above.get_span_context().span_id
    assert dict(span.attributes or {}) == {
        "http.request.method": "GET",
        "server.address": HOST,
        "server.port": hubs.port,
        "url.full": f"https://{HOST}:{hubs.port}/tokens",
        "http.response.status_code": 200,
    }
    assert answer.request.headers["traceparent"] == sent(span)


@pytest.mark.parametrize("kind", ["Client", "AsyncClient"])
def test_a_call_that_fails_is_told_with_what_was_raised(kind: str, hubs: Hubs, exporter: InMemorySpanExporter) -> None:
    with pytest.raises(httpx2.TransportError):
        get(kind, hubs, "/cut")
    [span] = exporter.get_finished_spans()
    assert span.status.status_code is trace.StatusCode.ERROR
    assert [each.name for each in span.events] == ["exception"]


def test_an_answer_that_is_an_error_is_one_in_the_span(exporter: InMemorySpanExporter) -> None:
    with tracing.client_span(httpx2.Request("POST", "https://api.hub.example/tokens")) as answered:
        answered(403)
    [span] = exporter.get_finished_spans()
    assert (span.status.status_code, (span.attributes or {})["error.type"]) == (trace.StatusCode.ERROR, "403")
    assert (span.attributes or {})["server.port"] == 443


def test_a_program_that_has_the_api_alone_or_not_even_that_wants_no_spans(
    hubs: Hubs, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "traceparent" not in get("Client", hubs, "/").request.headers
    for name in [each for each in sys.modules if each.split(".")[0] == "opentelemetry"]:
        monkeypatch.setitem(sys.modules, name, None)
    tracing._opentelemetry.cache_clear()
    try:
        assert not tracing.is_wanted()
        with pytest.raises(RuntimeError), tracing.client_span(httpx2.Request("GET", "https://api.hub.example/")):
            pass
    finally:
        tracing._opentelemetry.cache_clear()
