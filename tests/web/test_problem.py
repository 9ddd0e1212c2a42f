"""Each of our errors has its status and its problem; any other shows nothing of its inside."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any

import pytest
from fastapi import FastAPI, Header
from tests.web.conftest import Ask, applied

from bothways.errors import (
    BothwaysError,
    Conflict,
    NotAuthenticated,
    NotAuthorized,
    NotFound,
    Proposed,
    Refused,
    Unreachable,
    Unusable,
)
from bothways.findings import Finding
from bothways.operations.hub import Hub
from bothways.web import problem
from bothways.web.portal import portal_app

FINDING = Finding("CSR-KEY-01", "the key is DSA", "Make a new key.", "R7", "request.pem")


def failing(error: Exception) -> FastAPI:
    app = FastAPI()
    problem.install(app, "https://portal.hub.example")

    @app.get("/")
    def _fail() -> None:
        raise error

    return app


def test_what_waits_for_a_second_person_is_accepted_and_no_problem(ask: Ask) -> None:
    proposed = Proposed("chain", 7, "ann", datetime(2026, 1, 2, tzinfo=UTC), "Bob can confirm it.")
    answer = ask(failing(proposed), "GET", "/")
    assert (answer.status_code, answer.headers["content-type"]) == (202, "application/json")
    assert answer.json() == proposed.document()


@pytest.mark.parametrize(
    ("error", "status", "kind", "title"),
    [
        (NotFound("there is no chain 7"), 404, "notfound", "There is no such thing"),
        (Conflict("chain 7 is refused"), 409, "conflict", "The state of things does not allow it"),
        (Unusable("the disk is full"), 503, "unusable", "The hub cannot do it as it is set up"),
        (Unreachable("no answer"), 502, "unreachable", "The other side does not answer"),
        (NotAuthenticated("no token"), 401, "notauthenticated", "It is not known who asks"),
        (NotAuthorized("refused"), 403, "notauthorized", "This is not allowed"),
        (type("Lost", (NotFound,), {})("there is no chain 8"), 404, "notfound", "There is no such thing"),
    ],
)
def test_an_error_is_a_problem_with_its_status(
    ask: Ask, error: BothwaysError, status: int, kind: str, title: str
) -> None:
    answer = ask(failing(error), "GET", "/")
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json() == {
        "type": f"urn:bothways:problem:{kind}",
        "title": title,
        "status": status,
        "detail": str(error),
    }


def test_a_refusal_lists_all_its_findings(ask: Ask) -> None:
    answer = ask(failing(Refused((FINDING, FINDING))), "GET", "/")
    assert answer.status_code == 422
    page = "https://portal.hub.example/problems/CSR-KEY-01"
    assert answer.json()["errors"] == [FINDING.document() | {"type": page}] * 2
    assert answer.json()["type"] == page


def test_every_kind_of_error_has_a_status_of_its_own() -> None:
    kinds = BothwaysError.__subclasses__()
    assert set(problem._STATUS) == set(kinds)
    assert len(set(problem._STATUS.values())) == len(kinds)


def test_an_unexpected_error_shows_no_inside(ask: Ask) -> None:
    answer = ask(failing(RuntimeError("passphrase is swordfish")), "GET", "/")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert answer.json() == {
        "type": "urn:bothways:problem:unexpected",
        "title": "Something went wrong inside the hub",
        "status": 500,
        "detail": "the reason is in the hub's log. Ask who runs the hub to look there.",
    }


@pytest.fixture
def choosy() -> FastAPI:
    """An application that wants a number in a header."""
    app = FastAPI()
    problem.install(app)

    @app.put("/count")
    def _count(number: Annotated[int, Header()], name: Annotated[str, Header()]) -> str:
        return name * number

    return app


@pytest.mark.parametrize(
    ("method", "path", "status", "kind", "title", "detail"),
    [
        (
            "GET",
            "/other",
            404,
            "notfound",
            "There is no such thing",
            "there is nothing at /other. Check the spelling of the path.",
        ),
        (
            "GET",
            "/count",
            405,
            "method",
            "This cannot be done here",
            "GET is not answered at /count, wanted is PUT. Send the request with that method.",
        ),
    ],
)
def test_what_the_framework_refuses_is_a_problem_too(
    ask: Ask, choosy: FastAPI, method: str, path: str, status: int, kind: str, title: str, detail: str
) -> None:
    answer = ask(choosy, method, path, {"number": "swordfish"})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json() == {
        "type": f"urn:bothways:problem:{kind}",
        "title": title,
        "status": status,
        "detail": detail,
    }
    assert answer.headers.get("allow") == ("PUT" if status == 405 else None)


def test_who_leaves_in_the_middle_of_a_request_leaves_no_traceback(hub: Hub) -> None:
    sent = iter([{"type": "http.request", "body": b"email=a", "more_body": True}, {"type": "http.disconnect"}])
    answered: list[Any] = []

    async def receive() -> Any:
        return next(sent)

    async def send(message: Any) -> None:
        answered.append(message.get("status"))

    headers = [(b"origin", hub.terms.portal.encode()), (b"content-type", b"application/x-www-form-urlencoded")]
    scope = {"type": "http", "method": "POST", "path": "/sign-in", "headers": headers, "query_string": b""}
    scope |= {"scheme": "https", "server": ("hub", 443), "client": ("192.0.2.1", 5), "http_version": "1.1"}
    # What is raised here, uvicorn logs as an error.
    asyncio.run(portal_app(hub, applied)(scope, receive, send))
    assert answered[0] == 400
