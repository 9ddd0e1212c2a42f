"""Every answer has an id of its own, the audit and the log have the same one, and the log has no secret."""

import logging
from typing import Any

import pytest
from tests.web.conftest import Ask, applied, sent

from bothways.operations.accounts import invite_person
from bothways.operations.audit import export_audit
from bothways.operations.hub import Hub
from bothways.operations.people import add_person
from bothways.operations.tokens import create_token
from bothways.registry.access import Role
from bothways.web import problem
from bothways.web.application import HEADER, Application
from bothways.web.connectivity import connectivity_app
from bothways.web.control import control_app
from bothways.web.portal import portal_app


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """Return what is logged of requests, as it comes."""
    caplog.set_level(logging.INFO, "bothways.web.application")
    found: list[dict[str, Any]] = []

    class _Fields(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(record.fields)  # type: ignore[attr-defined]

    handler = _Fields()
    logging.getLogger("bothways.web.application").addHandler(handler)
    return found


@pytest.mark.parametrize(
    ("path", "status"),
    [("/", 200), ("/contract.toml", 200), ("/nothing", 404), ("/api/v1/customers", 401), ("/crl/0.crl", 422)],
)
def test_every_answer_has_an_id_of_its_own(hub: Hub, ask: Ask, path: str, status: int) -> None:
    app = portal_app(hub, applied)
    answers = [ask(app, "GET", path, {HEADER: "chosen"}) for _ in range(2)]
    assert {each.status_code for each in answers} == {status}
    assert len({each.headers[HEADER] for each in answers} | {"chosen"}) == 3


def test_also_the_answer_to_what_nobody_foresaw(ask: Ask, lines: list[dict[str, Any]]) -> None:
    app = Application("broken")
    problem.install(app)

    @app.get("/broken")
    def _broken() -> None:
        raise RuntimeError("hidden")

    answer = ask(app, "GET", "/broken")
    assert (answer.status_code, "hidden" in answer.text) == (500, False)
    assert answer.headers[HEADER].startswith("web-")
    assert [(each["route"], each["status"]) for each in lines] == [("/broken", 500)]


def test_a_change_by_the_api_is_in_the_audit_under_the_id_of_its_answer(
    hub: Hub, ask: Ask, lines: list[dict[str, Any]]
) -> None:
    _, secret = create_token(hub, "robot", Role.OPERATOR)
    body = {"customer": "12345678", "kind": "issuer", "organization": "First Bank"}
    answer = ask(portal_app(hub, applied), "POST", "/api/v1/customers", {"Authorization": f"Bearer {secret}"}, body)
    assert answer.status_code == 201, answer.text
    written = [each for each in export_audit(hub) if each["action"] == "customer.add"]
    assert [(each["actor"], each["request_id"]) for each in written] == [("token:robot", answer.headers[HEADER])]
    told = {name: value for name, value in lines[-1].items() if name != "milliseconds"}
    assert told == {"method": "POST", "route": "/api/v1/customers", "status": 201, "actor": "token:robot"}
    assert secret not in str(lines)


def test_a_link_that_is_a_secret_is_not_in_the_log(hub: Hub, ask: Ask, lines: list[dict[str, Any]]) -> None:
    person = add_person(hub, "ada@bank.example", "Ada", Role.OPERATOR)
    _, token, _ = invite_person(hub, person.id)
    assert ask(portal_app(hub, applied), "GET", f"/invitation/{token}?code={token}").status_code == 200
    assert lines[-1]["route"] == "/invitation/{token}"
    assert token not in str(lines)


def test_behind_envoy_its_id_and_its_customer_are_told(hub: Hub, ask: Ask, lines: list[dict[str, Any]]) -> None:
    headers = {HEADER: "5d8b-1f", "Bothways-Customer": "12345678", "Bothways-Certificate": "00"}
    answer = ask(connectivity_app(hub, applied), "GET", "/connectivity", headers)
    assert (answer.status_code, answer.headers[HEADER]) == (404, "5d8b-1f")
    assert (lines[-1]["actor"], lines[-1]["route"]) == ("12345678", "/connectivity")


def test_what_the_command_line_asks_again_and_again_is_not_logged(ask: Ask, lines: list[dict[str, Any]]) -> None:
    answer = ask(control_app(dict, applied, lambda _: b"", sent), "GET", "/status", {HEADER: "cli-1a2b"})
    assert (answer.headers[HEADER], lines) == ("cli-1a2b", [])
