"""The first page is for everybody, and leads who has signed in to where they begin; no page is part of the API.

What every page and form has to keep is asked of each that there is, so that none is forgotten.
"""

from fastapi.routing import APIRoute
from tests.web.pages.conftest import Visitor

from bothways.operations.accounts import invite_person
from bothways.operations.audit import export_audit
from bothways.operations.hub import Hub
from bothways.operations.people import add_person
from bothways.registry.access import Role
from bothways.web.pages.view import HEADERS

PAGES = ("reviews", "customers", "audit", "people", "account", "customers/12345678/home", "reviews/requests/1")
WITHOUT_SESSION = ("/sign-in", "/sign-in/passkey/options", "/sign-in/passkey", "/invitation")
"""Forms of people who have not signed in: there is no session whose token they could carry."""
TEMPORARY = 307
NAMES = dict.fromkeys(("name", "node", "token", "finding"), "x")
NAMES |= {"number": "1", "serial": "0a" * 16, "kind": "requests"}


def test_the_first_page_is_for_everybody_and_leads_who_has_signed_in(hub: Hub, operator: Visitor) -> None:
    assert "Sign in" in Visitor(hub).get("/").text
    assert operator.get("/").headers["location"] == "/reviews"


def test_every_other_page_asks_who_looks(hub: Hub) -> None:
    for page in PAGES:
        answer = Visitor(hub).get(f"/{page}")
        assert (answer.status_code, answer.headers["location"][:14]) == (303, "/sign-in?next=")


def test_no_page_is_part_of_the_api(hub: Hub) -> None:
    assert not [path for path in Visitor(hub).get("/openapi.json").json()["paths"] if path.startswith("/customers")]


def test_of_another_customer_no_page_and_no_form_is_there(hub: Hub, bank: Visitor, other: str) -> None:
    before = len(list(export_audit(hub)))
    paths = [each for each in routes(bank) if "{tsp_id}" in each[1]]
    assert len(paths) > 25
    for method, path in paths:
        asked = path.format_map(NAMES | {"tsp_id": other})
        answer = bank.get(asked) if method == "GET" else bank.post(asked, reason="tested")
        assert answer.status_code == 404, (method, path)
    assert len(list(export_audit(hub))) == before


def test_no_form_is_taken_from_another_site_or_without_the_token(hub: Hub, operator: Visitor, issuer: str) -> None:
    before = len(list(export_audit(hub)))
    paths = [path.format_map(NAMES | {"tsp_id": issuer}) for method, path in routes(operator) if method == "POST"]
    assert len(paths) > 35
    stranger = Visitor(hub, operator.app)
    for visitor, origin in ((operator, "https://evil.example"), (stranger, "https://evil.example"), (operator, None)):
        visitor.origin = origin
        for path in paths:
            # Who has not signed in is sent to the sign-in, where the same holds.
            wanted = {303, 403} if visitor is stranger else {403}
            assert visitor.post(path, reason="tested").status_code in wanted, path
    operator.origin = hub.terms.portal
    for path in paths:
        if path not in WITHOUT_SESSION:
            assert operator.post(path, reason="tested", csrf="another").status_code == 403, path
    assert operator.get("/account").status_code == 200
    assert len(list(export_audit(hub))) == before


def test_every_page_lets_nothing_else_in_is_kept_nowhere_and_changes_nothing(
    hub: Hub, operator: Visitor, issuer: str
) -> None:
    before = len(list(export_audit(hub)))
    answers = {path: operator.get(path) for path in looked_at(operator, issuer)}
    assert len(list(export_audit(hub))) == before
    kinds = {path: each.headers.get("content-type", "").partition(";")[0] for path, each in answers.items()}
    # No table that a spreadsheet opens, in which a name could be a formula.
    assert set(kinds.values()) == {"", "text/html", "application/x-pem-file"}
    assert list(kinds.values()).count("text/html") > 20
    for path, answer in answers.items():
        if kinds[path] == "text/html":
            policy = answer.headers["content-security-policy"]
            assert policy.startswith("default-src 'none';"), path
            assert "frame-ancestors 'none'" in policy, path
            assert "unsafe" not in policy, path
            # One page is handed on as a file, and has its style within itself.
            others = HEADERS.keys() - {"Content-Security-Policy"}
            assert {name: answer.headers[name] for name in others} == {name: HEADERS[name] for name in others}, path
        elif kinds[path]:
            assert answer.headers["content-disposition"].startswith("attachment;"), path
            assert answer.headers["x-content-type-options"] == "nosniff", path
        if answer.status_code != TEMPORARY:
            assert answer.headers["cache-control"] == "no-store", path


def test_no_page_believes_the_host_that_a_request_names(hub: Hub, operator: Visitor, issuer: str) -> None:
    operator.host = "evil.example"
    for path in (*looked_at(operator, issuer), "/nothing"):
        answer = operator.get(path)
        assert "evil.example" not in answer.text, path
        assert answer.headers.get("location", "/").startswith("/"), path
    operator.origin = "https://evil.example"
    assert operator.post("/people", email="eve@hub.example", name="Eve", role="operator").status_code == 403
    operator.origin = hub.terms.portal
    _, token, _ = invite_person(hub, add_person(hub, "bob@hub.example", "Bob", Role.AUDITOR).id)
    page = Visitor(hub, operator.app)
    page.host = "evil.example"
    answer = page.get(f"/invitation/{token}")
    assert (answer.status_code, "evil.example" in answer.text) == (200, False)


def looked_at(visitor: Visitor, tsp_id: str) -> list[str]:
    """Return the path of every page, for one customer."""
    return [path.format_map(NAMES | {"tsp_id": tsp_id}) for method, path in routes(visitor) if method == "GET"]


def routes(visitor: Visitor) -> list[tuple[str, str]]:
    """Return method and path of every page and form."""
    found = [
        (method, each.path)
        for each in visitor.app.routes
        if isinstance(each, APIRoute)
        and not each.include_in_schema
        and not each.path.startswith(("/static", "/docs/{"))
        for method in (each.methods or set()) - {"HEAD"}
    ]
    return sorted(found)
