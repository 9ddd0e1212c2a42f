"""A span for each call to the hub, in programs that have OpenTelemetry; nothing at all in others.

What a span says follows OpenTelemetry's conventions for HTTP clients. The call carries it on (W3C Trace Context), so
that a hub that joins its customers' traces shows its own part under it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import httpx2

_NAME = "bothways.spoke"
_FAILED = 400


def is_wanted() -> bool:
    """Tell whether anybody would get spans: a program that has OpenTelemetry's API alone has set up nothing.

    To find that out costs a microsecond, and spans that go nowhere a fifth of a call.
    """
    found = _opentelemetry()
    return found is not None and not isinstance(found[0].get_tracer_provider(), found[0].ProxyTracerProvider)


@contextmanager
def client_span(request: httpx2.Request) -> Iterator[Callable[[int], None]]:
    """Span the block, which sends the request and tells the status of its answer; the request's headers name the span.

    The query is left out: in it stands what is nobody's business.
    """
    found = _opentelemetry()
    if found is None:
        raise RuntimeError("nobody wants spans here: ask is_wanted first")
    trace, propagate = found
    url = request.url
    described = {
        "http.request.method": request.method,
        "server.address": url.host,
        "server.port": url.port or 443,
        "url.full": str(url.copy_with(query=None)),
    }
    with trace.get_tracer(_NAME).start_as_current_span(
        request.method, kind=trace.SpanKind.CLIENT, attributes=described
    ) as span:
        propagate.inject(request.headers)

        def answered(status: int) -> None:
            span.set_attribute("http.response.status_code", status)
            if status >= _FAILED:
                span.set_attribute("error.type", str(status))
                span.set_status(trace.StatusCode.ERROR)

        yield answered


@cache
def _opentelemetry() -> tuple[Any, Any] | None:
    try:
        from opentelemetry import propagate, trace  # noqa: PLC0415 - only where the program has it
    except ImportError:
        return None
    return trace, propagate
