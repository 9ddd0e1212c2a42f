"""Each of our errors has its status and its problem; any other shows nothing of its inside."""

import pytest
from fastapi import FastAPI
from tests.web.conftest import Ask

from bothways.errors import BothwaysError, Conflict, NotAuthorized, NotFound, Refused, Unreachable, Unusable
from bothways.findings import Finding
from bothways.web import problem

FINDING = Finding("CSR-KEY-01", "the key is DSA", "Make a new key.", "R7", "request.pem")


def failing(error: Exception) -> FastAPI:
    app = FastAPI()
    problem.install(app)

    @app.get("/")
    def _fail() -> None:
        raise error

    return app


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (NotFound("there is no chain 7"), 404, "notfound"),
        (Conflict("chain 7 is refused"), 409, "conflict"),
        (Unusable("the disk is full"), 503, "unusable"),
        (Unreachable("no answer"), 502, "unreachable"),
        (NotAuthorized("refused"), 403, "notauthorized"),
    ],
)
def test_an_error_is_a_problem_with_its_status(ask: Ask, error: BothwaysError, status: int, kind: str) -> None:
    answer = ask(failing(error), "GET", "/")
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json() == {"type": f"urn:bothways:problem:{kind}", "status": status, "detail": str(error)}


def test_a_refusal_lists_all_its_findings(ask: Ask) -> None:
    answer = ask(failing(Refused((FINDING, FINDING))), "GET", "/")
    assert answer.status_code == 422
    assert answer.json()["errors"] == [FINDING.document(), FINDING.document()]


def test_every_kind_of_error_has_a_status_of_its_own() -> None:
    kinds = BothwaysError.__subclasses__()
    assert set(problem._STATUS) == set(kinds)
    assert len(set(problem._STATUS.values())) == len(kinds)


def test_an_unexpected_error_shows_no_inside(ask: Ask) -> None:
    answer = ask(failing(RuntimeError("passphrase is swordfish")), "GET", "/")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert answer.json() == {
        "type": "urn:bothways:problem:unexpected",
        "status": 500,
        "detail": "see the hub's log",
    }
