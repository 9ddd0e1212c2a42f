"""What is wrong with a request is told with what was wanted, and without what was sent."""

from enum import Enum
from typing import Annotated, Literal

import pytest
from fastapi import FastAPI, Query
from pydantic import BaseModel, ConfigDict, Field, Strict
from tests.web.conftest import Ask

from bothways.web import problem
from bothways.web.malformed import FINDINGS_MOST

Kind = Enum("Kind", {"ISSUER": "issuer", "MERCHANT": "merchant"})
SECRET = "swordfish"  # noqa: S105 - what must not come back


class Sent(BaseModel):
    model_config = ConfigDict(extra="forbid")
    kind: Kind
    only: Annotated[bool, Strict()] = False
    days: Annotated[int, Strict(), Field(ge=1, le=397)] = 1
    numbers: list[int] = Field([1], min_length=1, max_length=1000)
    name: str = Field("", max_length=2)
    pin: str = Field("", pattern="^[0-9]+$")
    subject: dict[Literal["C"], str] = {}


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI()
    problem.install(app, "https://portal.hub.example")

    @app.post("/things")
    def _make(body: Sent, limit: Annotated[int, Query(ge=1)] = 1) -> str:
        return f"{body} {limit}"

    return app


@pytest.mark.parametrize(
    ("body", "query", "found"),
    [
        ({}, "", [("API-02", "body kind", "kind is missing")]),
        ({"kind": SECRET}, "", [("API-04", "body kind", "'issuer' or 'merchant' is wanted")]),
        ({"kind": "issuer", "only": 1}, "", [("API-04", "body only", "true or false is wanted")]),
        ({"kind": "issuer", "days": 0}, "", [("API-04", "body days", "1 or more is wanted")]),
        ({"kind": "issuer", "days": 398}, "", [("API-04", "body days", "397 or less is wanted")]),
        ({"kind": "issuer", "days": "1"}, "", [("API-04", "body days", "a whole number is wanted")]),
        ({"kind": "issuer", "numbers": []}, "", [("API-04", "body numbers", "a length of 1 or more is wanted")]),
        ({"kind": "issuer", "numbers": ["x"]}, "", [("API-04", "body numbers.0", "a whole number is wanted")]),
        ({"kind": "issuer", "name": SECRET}, "", [("API-04", "body name", "a length of 2 or less is wanted")]),
        ({"kind": "issuer", "name": 1}, "", [("API-04", "body name", "a text is wanted")]),
        ({"kind": "issuer", "pin": SECRET}, "", [("API-04", "body pin", "what matches ^[0-9]+$ is wanted")]),
        ({"kind": "issuer", "subject": {"X": "a"}}, "", [("API-04", "body subject.X", "'C' is wanted")]),
        ([], "", [("API-04", "body", "it is not of the wanted kind; an object is wanted")]),
        ({"kind": "issuer", "more\x1b": 1}, "", [("API-03", "body more\\x1b", "knows no such name")]),
        (
            {"more": 1},
            "?limit=0",
            [("API-04", "query limit", "1 or more"), ("API-02", "body kind", ""), ("API-03", "", "")],
        ),
    ],
)
def test_everything_that_is_wrong_is_told_at_once(
    ask: Ask, app: FastAPI, body: object, query: str, found: list[tuple[str, str, str]]
) -> None:
    answer = ask(app, "POST", f"/things{query}", None, body)
    told = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert [each["id"] for each in told["errors"]] == [each[0] for each in found]
    for each, (id_, subject, words) in zip(told["errors"], found, strict=True):
        assert words in each["message"]
        assert subject in each["subject"]
        assert each["type"] == f"https://portal.hub.example/problems/{id_}"
        assert each["message"] in told["detail"]
    assert told["type"] == told["errors"][0]["type"]
    assert SECRET not in answer.text


def test_what_is_no_json_is_told_where(ask: Ask, app: FastAPI) -> None:
    answer = ask(app, "POST", "/things", {"Content-Type": "application/json"}, raw=b'{"kind": swordfish')
    [error] = answer.json()["errors"]
    assert (error["id"], error["subject"]) == ("API-01", "body")
    assert "no JSON, from character 9 on" in error["message"]
    assert SECRET not in answer.text


def test_of_very_much_the_beginning_is_told(ask: Ask, app: FastAPI) -> None:
    answer = ask(app, "POST", "/things", None, {"kind": "issuer", "numbers": ["x"] * 1000, "x" * 9999: 1})
    assert len(answer.json()["errors"]) == FINDINGS_MOST
    assert len(answer.content) < 32_768
