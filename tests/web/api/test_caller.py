"""Every operation that the document describes, asked as nobody, with a wrong token and as another customer."""

import re
from typing import Any

import pytest
from tests.web.api.conftest import OTHER, Api
from tests.web.conftest import Ask, applied

from bothways.operations.customers import add_customer
from bothways.operations.hub import Hub
from bothways.operations.requests import approve_request, submit_request
from bothways.registry.access import Role
from bothways.registry.customer import CustomerKind
from bothways.store.certificates import StoredCertificate
from bothways.web.portal import portal_app

MEMBER = Role.CUSTOMER_MEMBER


def operations(hub: Hub, ask: Ask) -> list[tuple[str, str]]:
    """Return method and path of each operation of the API."""
    paths = ask(portal_app(hub, applied), "GET", "/openapi.json").json()["paths"]
    return [(method.upper(), path) for path, each in paths.items() if path.startswith("/api/") for method in each]


@pytest.fixture
def theirs(hub: Hub, issuer: str, make_csr: Any) -> StoredCertificate:
    """A certificate of the issuer, who has all that paths name; another customer is there as well."""
    add_customer(hub, OTHER, CustomerKind.ISSUER, "Second Bank")
    return approve_request(hub, submit_request(hub, issuer, make_csr()).id)


def said(problem: Any, names: set[str]) -> list[str]:
    return [word for word in problem["detail"].replace(".", "").split() if word not in names]


def filled(path: str, record: StoredCertificate) -> str:
    values = {"tsp_id": record.tsp_id, "number": str(record.request_id), "serial": record.serial}
    return re.sub(r"{(\w+)}", lambda found: values[found[1]], path)


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer wrong", "Basic YTpi"])
def test_without_a_token_nothing_is_answered(hub: Hub, ask: Ask, theirs: StoredCertificate, authorization: str) -> None:
    every = operations(hub, ask)
    assert len(every) > 10
    for method, path in every:
        headers = {"Authorization": authorization} if authorization else {}
        answer = ask(portal_app(hub, applied), method, filled(path, theirs), headers, {})
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer"), (method, path)
        assert answer.json()["type"] == "urn:bothways:problem:notauthenticated"


def test_another_customers_things_are_as_if_they_were_not_there(
    hub: Hub, ask: Ask, api: Api, theirs: StoredCertificate
) -> None:
    body = {"customer": theirs.tsp_id, "csr": "x", "reason": "unspecified"}
    for method, path in operations(hub, ask):
        if "{" in path:
            sent = {"reason": "superseded"} if method == "POST" else None
            there = filled(path, theirs).removeprefix("/api/v1")
            answer = api(method, there, sent, 404, role=Role.CUSTOMER_ADMINISTRATOR, tsp_id=OTHER)
            absent = there.replace(theirs.tsp_id, "nobody").replace(theirs.serial, "abc")
            absent = re.sub(rf"(requests)/{theirs.request_id}", r"\1/999", absent)
            other = api(method, absent, sent, 404, role=Role.CUSTOMER_ADMINISTRATOR, tsp_id=OTHER)
            names = {theirs.tsp_id, theirs.serial, str(theirs.request_id), "nobody", "abc", "999"}
            assert said(answer, names) == said(other, names), path
    del body["reason"]
    api("POST", "/requests", body, 404, role=MEMBER, tsp_id=OTHER)
    for noun in ("requests", "certificates"):
        assert api("GET", f"/{noun}", role=MEMBER, tsp_id=OTHER) == {"items": [], "next": None}
    [own] = api("GET", "/customers", role=MEMBER, tsp_id=OTHER)["items"]
    assert own["customer"] == OTHER


def test_a_role_does_what_it_may_and_no_more(api: Api, theirs: StoredCertificate) -> None:
    revoke = f"/certificates/{theirs.serial}/revoke"
    for role in (Role.AUDITOR, Role.REVIEWER, MEMBER):
        problem = api("POST", revoke, {"reason": "superseded"}, 403, role=role)
        assert "does not allow certificate-revoke" in problem["detail"]
    for role in (Role.AUDITOR, Role.REVIEWER, Role.CUSTOMER_ADMINISTRATOR):
        new = {"customer": "99", "kind": "issuer", "organization": "Third Bank"}
        api("POST", "/customers", new, 403, role=role)
    revoked = api("POST", revoke, {"reason": "keyCompromise"}, role=Role.CUSTOMER_ADMINISTRATOR)
    assert (revoked["state"], revoked["revoked_reason"], revoked["in_force"]) == ("revoked", "keyCompromise", True)


def test_after_ten_wrong_tokens_nobody_from_there_is_heard_for_a_minute(hub: Hub, ask: Ask) -> None:
    app = portal_app(hub, applied)
    wrong = {"Authorization": "Bearer wrong"}
    assert {ask(app, "GET", "/api/v1/customers", wrong).status_code for _ in range(10)} == {401}
    answer = ask(app, "GET", "/api/v1/customers", wrong)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
    assert answer.headers["content-type"] == "application/problem+json"
