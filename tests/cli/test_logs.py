"""The log is for people or for programs, and each line of a request names it."""

import json
import logging
import ssl
from dataclasses import replace

import httpx2
import pytest
from tests.conftest import running

from bothways.cli.logs import JsonLines, TextLines
from bothways.operations import request_id
from bothways.operations.hub import Hub
from bothways.operations.settings import LogFormat, render_settings


def record(message: str = "%s", *values: object, **more: object) -> logging.LogRecord:
    made = logging.LogRecord("bothways.web", logging.INFO, "file", 1, message, values or ("GET / 200",), None)
    made.created = 1795435200.0
    vars(made).update(more)
    return made


@pytest.fixture
def in_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_id, "current", lambda: "web-1a2b")


@pytest.mark.usefixtures("in_request")
def test_a_line_for_programs_is_one_object_with_the_request_and_what_it_is_about() -> None:
    line = JsonLines().format(record("%s ü\n%s", "a", "b", fields={"status": 200, "actor": None}))
    assert "\n" not in line
    assert json.loads(line) == {
        "time": "2026-11-23T12:00:00.000+00:00",
        "level": "info",
        "logger": "bothways.web",
        "message": "a ü\nb",
        "request_id": "web-1a2b",
        "status": 200,
        "actor": None,
    }


def test_outside_of_a_request_there_is_none() -> None:
    assert "request_id" not in json.loads(JsonLines().format(record()))
    assert TextLines().format(record()).endswith("INFO GET / 200")


@pytest.mark.usefixtures("in_request")
def test_a_line_for_people_ends_with_who_asked_and_the_request() -> None:
    line = TextLines().format(record(fields={"actor": "token:robot"}))
    assert line.endswith("INFO GET / 200 [actor=token:robot request_id=web-1a2b]")


def test_a_traceback_is_told_in_both() -> None:
    failed = record(exc_info=(ValueError, ValueError("inside"), None))
    assert "ValueError: inside" in json.loads(JsonLines().format(failed))["exception"]
    assert TextLines().format(failed).splitlines()[-1] == "ValueError: inside"


@pytest.mark.envoy
def test_a_hub_writes_each_line_for_programs_and_names_the_request(hub: Hub) -> None:
    (hub.directory / "hub.toml").write_text(render_settings(replace(hub.settings, log_format=LogFormat.JSON)))
    port = hub.settings.portal_port
    with running(hub):
        answer = httpx2.get(f"https://127.0.0.1:{port}/contract.toml", verify=ssl._create_unverified_context())  # noqa: S323
    lines = [json.loads(each) for each in (hub.directory.parent / "hub.log").read_text().splitlines()]
    told = [each for each in lines if each.get("request_id") == answer.headers["x-request-id"]]
    assert [(each["route"], each["status"], each["actor"]) for each in told] == [("/contract.toml", 200, None)]
