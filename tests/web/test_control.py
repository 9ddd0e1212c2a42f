"""The control socket tells the state of the running hub, and puts into force what was stored."""

import pytest
from tests.conftest import envoy_pid
from tests.web.conftest import Ask, sent

from bothways.cli.opening import control
from bothways.dataplane.applied import Applied
from bothways.dataplane.publisher import current_snapshot
from bothways.errors import Unusable
from bothways.operations.hub import Hub
from bothways.operations.services import add_service
from bothways.registry.service import Service
from bothways.web.control import control_app

APPLIED = Applied("abc", in_force=False, milliseconds=1.5)


async def applied() -> Applied:
    return APPLIED


async def broken() -> Applied:
    raise Unusable("the disk is full")


def no_metrics(_: object) -> bytes:
    return b""


def test_apply_answers_what_came_of_it(ask: Ask) -> None:
    answer = ask(control_app(dict, applied, no_metrics, sent), "POST", "/apply")
    assert (answer.status_code, answer.json()) == (200, APPLIED.document())


def test_what_cannot_be_applied_is_a_problem(ask: Ask) -> None:
    answer = ask(control_app(dict, broken, no_metrics, sent), "POST", "/apply")
    assert (answer.status_code, answer.json()["detail"]) == (503, "the disk is full")


def test_apply_is_not_done_by_looking(ask: Ask) -> None:
    assert ask(control_app(dict, broken, no_metrics, sent), "GET", "/apply").status_code == 405


def test_what_a_probe_needs_is_sent_and_whether_there_is_anything_is_answered(ask: Ask) -> None:
    app = control_app(dict, broken, no_metrics, sent)
    answers = [ask(app, "POST", f"/probes/{each}").json() for each in ("12345678", "unknown")]
    assert answers == [{"sent": True}, {"sent": False}]


def test_metrics_are_answered_as_prometheus_takes_them(ask: Ask) -> None:
    app = control_app(lambda: {"value": 0.0}, broken, lambda told: f"bothways_problem {told['value']}\n".encode(), sent)
    answer = ask(app, "GET", "/metrics")
    assert (answer.status_code, answer.content) == (200, b"bothways_problem 0.0\n")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"


@pytest.mark.envoy
def test_a_running_hub_is_asked_and_told(running_hub: Hub) -> None:
    assert running_hub.control_socket.stat().st_mode & 0o777 == 0o600
    add_service(running_hub, Service("tokens", "/tokens", "http://127.0.0.1:9000"))
    answer = control(running_hub, "POST", "/apply")
    status = control(running_hub, "GET", "/status")
    version = current_snapshot(running_hub).version
    assert answer is not None
    assert status is not None
    assert (answer["version"], answer["in_force"], status["version"]) == (version, True, version)
    assert envoy_pid(running_hub) > 0


# The HTTP library leaves a unix socket that it could not connect to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_hub_that_does_not_run_answers_nothing(hub: Hub) -> None:
    assert control(hub, "GET", "/status") is None
