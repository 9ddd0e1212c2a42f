"""A hub says whether it lives, and whether it can do its work; why not, in words."""

import asyncio
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import Connection
from tests.conftest import free_ports, running
from tests.web.conftest import Ask

from bothways.dataplane.envoy_state import NOTHING
from bothways.errors import Unusable
from bothways.operations.hub import Hub
from bothways.operations.settings import render_settings
from bothways.web.health import health_router

UP: dict[str, Any] = NOTHING | {"pid": 7}


def application(hub: Hub, envoy: dict[str, Any] = UP, *, serving: bool = True, ending: bool = False) -> FastAPI:
    app, served, ended = FastAPI(), asyncio.Event(), asyncio.Event()
    if serving:
        served.set()
    if ending:
        ended.set()
    app.include_router(health_router(hub, lambda: envoy, served, ended))
    return app


class _Gone(Hub):
    def read(self) -> AbstractContextManager[Connection]:
        raise Unusable("the database does not answer")


def gone(hub: Hub) -> Hub:
    return _Gone(hub.directory, hub.settings, hub.terms, hub.database, hub.keys, hub.observations, hub.actor)


def test_a_hub_that_serves_is_ready(hub: Hub, ask: Ask) -> None:
    answer = ask(application(hub), "GET", "/readyz")
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "missing": []})


@pytest.mark.parametrize(("phase", "done"), [("starting", {"serving": False}), ("ending", {"ending": True})])
def test_one_that_starts_or_ends_lives_and_is_not_ready(hub: Hub, ask: Ask, phase: str, done: Any) -> None:
    app = application(hub, **done)
    assert ask(app, "GET", "/healthz").status_code == 200
    answer = ask(app, "GET", "/readyz")
    assert (answer.status_code, answer.json()["missing"]) == (503, [f"the hub is {phase}"])


def test_everything_that_is_missing_is_named(hub: Hub, ask: Ask) -> None:
    answer = ask(application(gone(hub), NOTHING), "GET", "/readyz")
    assert answer.status_code == 503
    assert answer.json() == {
        "ready": False,
        "missing": ["no Envoy runs on this machine", "the database does not answer"],
    }


@pytest.mark.envoy
def test_a_running_hub_answers_beside_its_metrics(hub: Hub) -> None:
    (port,) = free_ports(1)
    (hub.directory / "hub.toml").write_text(render_settings(replace(hub.settings, metrics_port=port)))
    with running(hub):
        for path, document in (("healthz", {"healthy": True}), ("readyz", {"ready": True, "missing": []})):
            answer = httpx2.get(f"http://127.0.0.1:{port}/{path}")
            assert (answer.status_code, answer.json()) == (200, document)
