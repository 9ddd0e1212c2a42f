from typing import Any

from tests.web.api.conftest import Api

from bothways.registry.access import Role

ADMINISTRATOR = Role.CUSTOMER_ADMINISTRATOR
ONE, TWO = {"url": "https://one.bank.example"}, {"url": "https://two.bank.example"}


def test_nobody_replaces_an_endpoint_that_they_have_not_read(api: Api, issuer: str) -> None:
    where = f"/customers/{issuer}/endpoint"
    assert "If-Match" in api("PUT", where, ONE, 428)["detail"]
    api("PUT", where, ONE, 412, headers={"If-Match": '"x"'})
    api("PUT", where, ONE, headers={"If-None-Match": "*"})
    api("PUT", where, TWO, 412, headers={"If-None-Match": "*"})
    shown: Any = api("GET", where, raw=True)
    read = {"If-Match": shown.headers["etag"]}
    assert api("PUT", where, TWO, headers=read)["host"] == "two.bank.example"
    api("PUT", where, ONE, 412, headers=read)
    assert api("GET", where, role=Role.CUSTOMER_MEMBER)["url"] == TWO["url"]


def test_what_a_customer_names_is_reviewed(api: Api, issuer: str) -> None:
    numbers = [
        api("POST", "/endpoints", each | {"customer": issuer}, 201, role=ADMINISTRATOR)["id"] for each in (ONE, TWO)
    ]
    [waiting] = api("GET", "/endpoints")["items"]
    assert (waiting["id"], waiting["state"]) == (numbers[1], "submitted")
    assert api("GET", f"/endpoints/{numbers[0]}", role=ADMINISTRATOR)["state"] == "replaced"
    shown = api("GET", f"/endpoints/{numbers[1]}", raw=True)
    assert api("POST", f"/endpoints/{numbers[1]}/refuse", {"reason": "x"}, 412, headers={"If-Match": '"x"'})
    read = {"If-Match": shown.headers["etag"]}
    approved = api("POST", f"/endpoints/{numbers[1]}/approve", role=Role.REVIEWER, headers=read)
    assert (approved["state"], approved["in_force"]) == ("approved", True)
    path = {"url": f"{TWO['url']}/v2", "customer": issuer}
    assert api("POST", "/endpoints", path, 201, role=ADMINISTRATOR)["state"] == "approved"
    refused = api("POST", "/endpoints", ONE | {"customer": issuer}, 201)["id"]
    assert api("POST", f"/endpoints/{refused}/refuse", {"reason": "not yours"})["state"] == "refused"
