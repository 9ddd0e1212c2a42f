from dataclasses import replace

import httpx2
from tests.web.api.conftest import Api
from tests.web.conftest import Ask, applied

from bothways.operations.hub import Hub
from bothways.operations.people import add_person
from bothways.operations.settings import TwoPeople
from bothways.operations.tokens import create_token
from bothways.operations.two_people import AtHost
from bothways.registry.access import Role
from bothways.web.portal import portal_app

ADMINISTRATOR = Role.CUSTOMER_ADMINISTRATOR
BOB = {"email": "bob@bank.example", "name": "Bob", "role": "customer-member", "customer": "12345678"}


def test_a_customers_administrator_has_to_do_with_its_own_people(api: Api, issuer: str) -> None:
    ann = {"email": "ann@hub.example", "name": "Ann", "role": "operator"}
    first = api("POST", "/people", ann, 201)
    api("POST", "/people", ann | {"email": "eve@bank.example"}, 403, role=ADMINISTRATOR)
    bob = api("POST", "/people", BOB, 201, role=ADMINISTRATOR)
    assert bob["customer"] == issuer
    assert [each["id"] for each in api("GET", "/people", role=ADMINISTRATOR)["items"]] == [bob["id"]]
    assert [each["id"] for each in api("GET", "/people")["items"]] == [first["id"], bob["id"]]
    api("POST", f"/people/{first['id']}/disable", {"reason": "tested"}, 404, role=ADMINISTRATOR)
    assert api("GET", f"/people/{bob['id']}", role=ADMINISTRATOR) == bob
    link = api("POST", f"/people/{bob['id']}/invite", None, 201, role=ADMINISTRATOR)["link"]
    assert "/invitation/" in link
    api("POST", f"/people/{first['id']}/invite", None, 404, role=ADMINISTRATOR)
    assert api("POST", f"/people/{bob['id']}/disable", {"reason": "tested"}, role=ADMINISTRATOR)["state"] == "disabled"


def test_a_token_is_shown_once_and_opens_until_it_is_revoked(hub: Hub, ask: Ask, api: Api, issuer: str) -> None:
    body = {"name": "ci", "role": "customer-member", "customer": issuer, "scopes": ["customer-read"]}
    api("POST", "/tokens", body | {"role": "auditor", "customer": None}, 403, role=ADMINISTRATOR)
    made = api("POST", "/tokens", body, 201, role=ADMINISTRATOR)
    assert "token" not in api("GET", "/tokens", role=ADMINISTRATOR)["items"][-1]
    app = portal_app(hub, applied)

    def status() -> int:
        headers = {"Authorization": f"Bearer {made['token']}"}
        return ask(app, "GET", f"/api/v1/customers/{issuer}", headers).status_code

    assert status() == 200
    assert api("POST", f"/tokens/{made['id']}/revoke", {"reason": "tested"}, role=ADMINISTRATOR)["state"] == "revoked"
    assert status() == 401


def test_tokens_come_in_pages_as_they_were_made(hub: Hub, api: Api) -> None:
    for number in range(3):
        create_token(hub, f"t-{number}", Role.AUDITOR)
    first = api("GET", "/tokens?limit=2")
    rest = api("GET", f"/tokens?limit=2&after={first['next']}")
    # The caller's own is the last one.
    assert [each["name"] for each in (*first["items"], *rest["items"])] == ["t-0", "t-1", "t-2", "operator-hub"]
    assert rest["next"] is None


def test_where_it_takes_two_people_a_person_who_decides_is_confirmed(hub: Hub, ask: Ask) -> None:
    strict = replace(hub, settings=replace(hub.settings, two_people=TwoPeople.ALWAYS))
    app = portal_app(strict, applied)
    tokens = {}
    for name in ("ann", "bob"):
        add_person(strict, f"{name}@hub.example", name, Role.OPERATOR, at_host=AtHost())
        tokens[name] = create_token(strict, name, Role.OPERATOR, person=f"{name}@hub.example")[1]

    def post(name: str, path: str, body: object = None) -> httpx2.Response:
        return ask(app, "POST", f"/api/v1{path}", {"Authorization": f"Bearer {tokens[name]}"}, body)

    added = post("ann", "/people", {"email": "zoe@hub.example", "name": "Zoe", "role": "reviewer"})
    assert (added.status_code, added.json()["kind"], added.json()["by"]) == (202, "person", "ann@hub.example")
    where = f"/people/{added.json()['number']}"
    invited = post("ann", f"{where}/invite").json()
    assert (invited["state"], invited["sign_in_proposed_by"]) == ("proposed", "ann@hub.example")
    assert post("ann", f"{where}/confirm").status_code == 403
    confirmed = post("bob", f"{where}/confirm").json()
    assert (confirmed["state"], len(confirmed["code"]), "link" in confirmed) == ("active", 19, False)
    assert post("bob", f"{where}/confirm").status_code == 409
    post("ann", f"{where}/invite")
    assert post("bob", f"{where}/refuse", {"reason": "not lost"}).json()["sign_in_proposed_by"] is None
