"""What Prometheus scrapes beside the registry's metrics: the state of the data plane, and Envoy's own statistics."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Response
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import CounterMetricFamily

from bothways.dataplane.admin import Admin
from bothways.errors import Unusable


def metrics_app(metrics: Callable[[], bytes], health: APIRouter) -> FastAPI:
    """Return the application that answers a scrape, and what `health` does: it shows names and dates, and no secret."""
    app = FastAPI(title="Bothways metrics", openapi_url=None, docs_url=None, redoc_url=None)

    @app.get("/metrics")
    def _metrics() -> Response:
        return Response(metrics(), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    app.include_router(health)
    return app


def render_data_plane(namespace: str, status: dict[str, Any]) -> bytes:
    """Return the metrics of the data plane from what the running hub says in its status."""
    registry, envoy = CollectorRegistry(), status["envoy"]
    nodes = [each for each in status["nodes"] if each["connected"]]

    def gauge(name: str, said: str, value: float, **labels: str) -> None:
        one = Gauge(name, said, ("namespace", *labels), registry=registry)
        one.labels(namespace, *labels.values()).set(value)

    def counter(name: str, said: str, value: float) -> None:
        family = CounterMetricFamily(name, said, labels=("namespace",))
        family.add_metric((namespace,), value)
        registry.register(_Collected(family))

    gauge("bothways_envoy_up", "1 while the Envoy on the hub's machine runs.", envoy["pid"] is not None)
    counter("bothways_envoy_restarts", "How often it ended by itself and was started again.", envoy["restarts"])
    counter("bothways_envoy_hot_restarts", "How often a new one took over from it.", envoy["hot_restarts"])
    if envoy["started_at"]:
        began = datetime.fromisoformat(envoy["started_at"]).timestamp()
        gauge("bothways_envoy_start_timestamp_seconds", "When the Envoy that runs was started.", began)
    gauge("bothways_control_planes", "Control planes that work on the database.", len(status["control_planes"]))
    gauge("bothways_nodes", "Envoys that are connected, to whichever control plane.", len(nodes))
    gauge("bothways_nodes_settled", "Envoys that serve what is published.", sum(each["settled"] for each in nodes))
    gauge("bothways_nodes_refusing", "Envoys that refuse some of it.", sum(bool(each["refused"]) for each in nodes))
    held = status["held_back"] is not None
    gauge("bothways_held_back", "1 while one node has refused a change, which no other is given.", held)
    gauge("bothways_published_info", "The version that is published.", 1, version=status["version"])
    if status["last_push_milliseconds"] is not None:
        seconds = status["last_push_milliseconds"] / 1000
        gauge("bothways_last_push_seconds", "How long the last change took until all Envoys served it.", seconds)
    return bytes(generate_latest(registry))


def envoy_statistics(admin_socket: Path) -> bytes:
    """Return Envoy's own statistics as it writes them for Prometheus; nothing if no Envoy answers.

    Called in a thread of its own, as Prometheus's answers are made.
    """
    try:
        return asyncio.run(Admin(admin_socket).ask("GET", "/stats/prometheus?usedonly")).encode()
    except Unusable:
        return b""


class _Collected:
    """A family of metrics whose values somebody else counts."""

    def __init__(self, family: CounterMetricFamily) -> None:
        self._family = family

    def collect(self) -> list[CounterMetricFamily]:
        return [self._family]
