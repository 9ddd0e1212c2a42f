"""Every operation that the document describes, as no one, as another customer and in the wrong role; and what is
asked too often, or twice.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from tests.web.api.conftest import Api
from tests.web.api.operations import (
    ADMINISTRATOR,
    OPERATIONS,
    OTHER,
    OWNER,
    Operation,
    Things,
    make_things,
    of_customer,
)
from tests.web.conforming import wrong_with
from tests.web.conftest import Ask, applied

from bothways.operations import idempotency
from bothways.operations.customers import list_customers
from bothways.operations.hub import Hub
from bothways.operations.people import add_person
from bothways.operations.sessions import begin_session
from bothways.operations.tokens import create_token
from bothways.registry.access import Role
from bothways.web.api.gate import AUDIT_MOST, BODY_MOST, BURST
from bothways.web.portal import portal_app

LISTS = ("requests", "certificates", "chains", "endpoints", "services", "observations", "people")
NEW = {"customer": "99", "kind": "issuer", "organization": "Third Bank"}


@pytest.fixture
def things(hub: Hub, make_csr: Callable[..., bytes], make_ca: Callable[..., tuple[Any, Any]]) -> Things:
    """One of everything of a customer, with another customer beside it."""
    return make_things(hub, make_csr, make_ca)


def said(problem: Any, *things: Things) -> str:
    """Return what a problem says, without the names of what was asked for."""
    text = str(problem["detail"])
    for each in things:
        for value in sorted(each.values.values(), key=len, reverse=True):
            text = text.replace(value, "")
    return text


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer wrong", "Basic YTpi"])
def test_no_one_is_answered_anything(hub: Hub, ask: Ask, things: Things, authorization: str) -> None:
    # After ten wrong tokens within a minute it would not even look at one.
    begin, ticks = hub.now(), itertools.count()
    app = portal_app(replace(hub, now=lambda: begin + timedelta(seconds=7 * next(ticks))), applied)
    for (method, path), (body, _) in OPERATIONS.items():
        headers = {"Authorization": authorization} if authorization else {}
        answer = ask(app, method, "/api/v1" + things.asked((method, path)), headers, things.body(body))
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer"), (method, path)
        assert answer.json()["type"] == "urn:bothways:problem:notauthenticated"


def test_a_token_counts_in_its_header_alone_and_no_session_of_the_portal_does(hub: Hub, ask: Ask) -> None:
    app, token = portal_app(hub, applied), create_token(hub, "ci", Role.OPERATOR)[1]
    session = begin_session(hub, add_person(hub, "ann@hub.example", "Ann", Role.OPERATOR), "192.0.2.1", "x", "test")
    cookie = {"Cookie": f"__Host-bothways-ppr={session}", "Origin": hub.terms.portal}
    tries: list[tuple[str, dict[str, str]]] = [(f"?{name}={token}", {}) for name in ("access_token", "token")]
    tries += [("", cookie), ("", {"Cookie": f"token={token}"}), ("", {"X-Api-Key": token})]
    for query, headers in tries:
        answer = ask(app, "POST", f"/api/v1/customers{query}", headers, NEW)
        assert answer.status_code == 401, (query, headers)
        # No script of another site reads an answer either.
        assert not [each for each in answer.headers if each.startswith("access-control-")]
    assert list_customers(hub) == ()


def test_the_wrong_role_is_refused_everything(api: Api, things: Things) -> None:
    refused = 0
    for (method, path), (body, allowed) in OPERATIONS.items():
        for role in set(Role) - allowed:
            problem = api(method, things.asked((method, path)), things.body(body), 403, role=role, tsp_id=OWNER)
            assert problem["type"] == "urn:bothways:problem:notauthorized", (method, path, role)
            refused += 1
    assert refused > 150


def test_another_customers_things_are_as_if_they_were_not_there(api: Api, things: Things) -> None:
    absent = things.absent()
    for operation, (body, allowed) in OPERATIONS.items():
        method, _ = operation
        if not of_customer(operation):
            continue
        for role in (ADMINISTRATOR, Role.CUSTOMER_MEMBER):
            answers = [
                api(
                    method, each.asked(operation), each.body(body), raw=True, status=404, role=role, tsp_id=OTHER
                ).json()
                for each in (things, absent)
            ]
            assert said(answers[0], things, absent) == said(answers[1], things, absent), operation
            assert not any("bothways" in each["detail"] for each in answers), operation
        assert allowed


def test_no_operation_that_names_a_thing_is_left_out() -> None:
    of_customers = {ADMINISTRATOR, Role.CUSTOMER_MEMBER}
    for operation, (_, allowed) in OPERATIONS.items():
        # What is not looked at as another customer's is for nobody of a customer, in whatever role.
        assert of_customer(operation) or "{" not in operation[1] or not allowed & of_customers, operation
    lists = {path for (method, path), (_, allowed) in OPERATIONS.items() if method == "GET" and allowed & of_customers}
    own = {f"/{each}" for each in (*LISTS, "customers", "tokens", "requests/waiting")}
    assert {each for each in lists if "{" not in each} == own | {"/revocation-lists", "/hub/contract"}


def test_lists_hold_nothing_of_another_customer(api: Api, things: Things) -> None:
    for noun in LISTS:
        assert api("GET", f"/{noun}", role=ADMINISTRATOR, tsp_id=OTHER) == {"items": [], "next": None}, noun
        if noun not in {"services", "observations"}:
            assert len(api("GET", f"/{noun}", role=ADMINISTRATOR, tsp_id=OWNER)["items"]) == 1, noun
            api("GET", f"/{noun}?customer={OWNER}", None, 404, role=ADMINISTRATOR, tsp_id=OTHER)
    [own] = api("GET", "/customers", role=ADMINISTRATOR, tsp_id=OTHER)["items"]
    assert own["customer"] == OTHER
    assert [each["customer"] for each in api("GET", "/tokens", role=ADMINISTRATOR, tsp_id=OTHER)["items"]] == [OTHER]
    assert things.values["tsp_id"] == OWNER


def test_who_may_is_not_refused(api: Api, things: Things) -> None:
    reads: list[Operation] = [each for each in OPERATIONS if each[0] == "GET" and "metrics" not in each[1]]
    for method, path in reads:
        # There is no endpoint yet, and no second server CA that somebody could be behind.
        if path in {"/customers/{tsp_id}/endpoint", "/authorities/{number}/behind"}:
            continue
        for role in OPERATIONS[method, path][1]:
            api(method, things.path(path), None, 200, role=role, raw=True)


def test_after_ten_wrong_tokens_nobody_from_there_is_heard_for_a_minute(hub: Hub, ask: Ask) -> None:
    app = portal_app(hub, applied)
    wrong = {"Authorization": "Bearer wrong"}
    assert {ask(app, "GET", "/api/v1/customers", wrong).status_code for _ in range(10)} == {401}
    answer = ask(app, "GET", "/api/v1/customers", wrong)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
    assert answer.headers["content-type"] == "application/problem+json"
    assert "after a minute" in answer.json()["detail"]


@pytest.mark.parametrize(("path", "most"), [("/customers", BODY_MOST), ("/audit/compare", AUDIT_MOST)])
def test_no_more_is_read_than_an_operation_can_need(hub: Hub, path: str, most: int) -> None:
    app, token = portal_app(hub, applied), create_token(hub, "ci", Role.OPERATOR)[1]
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 1 << 16
            yield b" " * (1 << 16)

    async def once() -> httpx2.Response:
        transport, headers = httpx2.ASGITransport(app), {"Authorization": f"Bearer {token}"}
        async with httpx2.AsyncClient(transport=transport, base_url="http://hub", headers=headers) as client:
            return await client.post(f"/api/v1{path}", content=endless())

    answer = asyncio.run(once())
    assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")
    assert wrong_with(answer, "POST", f"/api/v1{path}") == []
    assert most < read < most + (1 << 18)


def test_who_asks_too_often_waits_and_others_do_not(hub: Hub, ask: Ask) -> None:
    at = hub.now()
    hub = replace(hub, now=lambda: at)
    app = portal_app(hub, applied)
    tokens = [{"Authorization": f"Bearer {create_token(hub, name, Role.AUDITOR)[1]}"} for name in ("one", "two")]
    statuses = [ask(app, "GET", "/api/v1/people", tokens[0]).status_code for _ in range(BURST + 1)]
    assert statuses == [200] * BURST + [429]
    assert ask(app, "GET", "/api/v1/people", tokens[0]).headers["retry-after"] == "1"
    assert ask(app, "GET", "/api/v1/people", tokens[1]).status_code == 200
    at += timedelta(seconds=1)
    assert ask(app, "GET", "/api/v1/people", tokens[0]).status_code == 200


def test_the_same_key_does_the_same_once(hub: Hub, api: Api) -> None:
    key = {"Idempotency-Key": "a8098c1a"}
    first = api("POST", "/customers", NEW, 201, headers=key, raw=True)
    again = api("POST", "/customers", NEW, 201, headers=key, raw=True)
    assert (first.json(), first.headers.get("idempotency-replayed")) == (again.json(), None)
    assert again.headers["idempotency-replayed"] == "true"
    assert len(list_customers(hub)) == 1
    problem = api("POST", "/customers", NEW | {"customer": "98"}, 409, headers=key)
    assert "another request was sent" in problem["detail"]
    # A key is for what is changed, and another key for another request.
    assert "exists already" in api("POST", "/customers", NEW, 409, headers={"Idempotency-Key": "b"})["detail"]
    api("GET", "/customers/99", headers=key)


def test_what_was_refused_leaves_its_key_free(api: Api) -> None:
    key = {"Idempotency-Key": "x"}
    api("POST", "/customers", NEW | {"customer": "a b"}, 422, headers=key)
    api("POST", "/customers", NEW | {"kind": "bank"}, 422, headers=key)
    api("POST", "/customers", NEW, 201, headers=key)


def test_a_secret_is_not_answered_twice(api: Api) -> None:
    key, body = {"Idempotency-Key": "x"}, {"name": "ci", "role": "auditor"}
    assert api("POST", "/tokens", body, 201, headers=key)["token"]
    assert "held a secret" in api("POST", "/tokens", body, 409, headers=key)["detail"]


def test_of_what_is_being_done_nobody_knows_the_answer(hub: Hub, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bothways.operations.idempotency.finish", lambda *_: None)
    key = {"Idempotency-Key": "x"}
    api("POST", "/customers", NEW, 201, headers=key)
    assert "is being done, or the hub ended" in api("POST", "/customers", NEW, 409, headers=key)["detail"]
    late = replace(hub, now=lambda: hub.now() + idempotency.KEPT + timedelta(seconds=1))
    assert idempotency.begin(late, "y", "") is None


@pytest.mark.parametrize("key", ["", "x" * 256, "a\x7f"])
def test_a_key_is_some_printable_characters(api: Api, key: str) -> None:
    assert "Idempotency-Key" in api("POST", "/customers", NEW, 400, headers={"Idempotency-Key": key})["detail"]
