"""A scrape tells the state of the data plane and Envoy's own figures, read back by Prometheus's own parser."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import APIRouter
from prometheus_client.parser import text_string_to_metric_families
from tests.conftest import free_ports, running
from tests.web.conftest import Ask

from bothways.dataplane.envoy_state import NOTHING
from bothways.operations.hub import Hub
from bothways.operations.settings import render_settings
from bothways.web.scrape import envoy_statistics, metrics_app, render_data_plane

STATUS: dict[str, Any] = {
    "version": "abc",
    "nodes": [
        {"node": "ppr-embedded", "connected": True, "settled": True, "refused": {}},
        {"node": "other", "connected": True, "settled": False, "refused": {"type": "why"}},
        {"node": "away", "connected": False, "settled": False, "refused": {}},
    ],
    "held_back": {"version": "abd", "node": "other", "why": "and refused it: why"},
    "control_planes": [{"name": "hub-1"}, {"name": "hub-2"}],
    "envoy": NOTHING
    | {"pid": 7, "started_at": "2026-11-23T12:00:00+00:00", "restarts": 2, "hot_restarts": 1, "source": "hub"},
    "last_push_milliseconds": 12.5,
}


def values(text: bytes) -> dict[str, float]:
    families = text_string_to_metric_families(text.decode())
    return {sample.name: sample.value for family in families for sample in family.samples}


def test_the_state_of_the_data_plane_is_told() -> None:
    assert values(render_data_plane("PPR", STATUS)) == {
        "bothways_envoy_up": 1,
        "bothways_envoy_restarts_total": 2,
        "bothways_envoy_hot_restarts_total": 1,
        "bothways_envoy_start_timestamp_seconds": 1795435200,
        "bothways_control_planes": 2,
        "bothways_nodes": 2,
        "bothways_nodes_settled": 1,
        "bothways_nodes_refusing": 1,
        "bothways_held_back": 1,
        "bothways_published_info": 1,
        "bothways_last_push_seconds": 0.0125,
    }


def test_what_is_not_there_is_not_made_up() -> None:
    found = values(render_data_plane("PPR", STATUS | {"envoy": NOTHING, "nodes": [], "last_push_milliseconds": None}))
    assert (found["bothways_envoy_up"], found["bothways_nodes"]) == (0, 0)
    assert {"bothways_envoy_start_timestamp_seconds", "bothways_last_push_seconds"} & found.keys() == set()


def test_an_envoy_that_does_not_answer_has_no_statistics(tmp_path: Path) -> None:
    assert envoy_statistics(tmp_path / "admin.sock") == b""


def test_the_application_answers_metrics_and_nothing_else(ask: Ask) -> None:
    app = metrics_app(lambda: b"bothways_nodes 1\n", APIRouter())
    assert ask(app, "GET", "/metrics").content == b"bothways_nodes 1\n"
    assert [ask(app, "GET", path).status_code for path in ("/", "/status", "/docs", "/openapi.json")] == [404] * 4
    assert ask(app, "POST", "/metrics").status_code == 405


@pytest.mark.envoy
def test_a_running_hub_is_scraped_over_the_network(hub: Hub) -> None:
    [port] = free_ports(1)
    settings = replace(hub.settings, metrics_port=port)
    (hub.directory / "hub.toml").write_text(render_settings(settings))
    with running(hub):
        egress = f"http://127.0.0.1:{settings.egress_port}/"
        assert httpx2.get(egress, trust_env=False, timeout=10).status_code == 404
        text = httpx2.get(f"http://127.0.0.1:{port}/metrics", trust_env=False, timeout=10).content
    found = {
        (sample.name, sample.labels.get("envoy_http_conn_manager_prefix", "")): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }
    assert found["bothways_envoy_up", ""] == found["bothways_nodes_settled", ""] == 1
    assert found["bothways_problem", ""] == 0
    assert found["envoy_http_downstream_rq_total", "egress"] == 1
