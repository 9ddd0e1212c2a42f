from collections.abc import Callable
from typing import Any

from tests.web.api.conftest import Api

from bothways.pki.chain import certificate_pem
from bothways.registry.access import Role

Ca = Callable[..., tuple[Any, Any]]


def submit(api: Api, issuer: str, make_ca: Ca, name: str) -> Any:
    body = {"customer": issuer, "chain": certificate_pem(make_ca(name)[1])}
    return api("POST", "/chains", body, 201, role=Role.CUSTOMER_ADMINISTRATOR)


def test_a_chain_is_submitted_by_the_customer_and_endorsed_by_the_hub(api: Api, issuer: str, make_ca: Ca) -> None:
    made = submit(api, issuer, make_ca, "Bank Root")
    assert (made["state"], made["tree"]["subject"], made["findings"]) == ("submitted", "CN=Bank Root", [])
    where = f"/chains/{made['id']}"
    shown = api("GET", where, raw=True)
    assert shown.json()["pem"].startswith("-----BEGIN CERTIFICATE")
    pin = ":".join(["AB"] * 32)
    read = {"If-Match": shown.headers["etag"]}
    endorsed = api("POST", f"{where}/endorse", {"pins": [pin]}, role=Role.REVIEWER, headers=read)
    assert (endorsed["state"], endorsed["spki_pins"], endorsed["in_force"]) == ("endorsed", ["ab" * 32], True)
    assert "changed since" in api("POST", f"{where}/withdraw", {"reason": "gone"}, 412, headers=read)["detail"]
    assert api("POST", f"{where}/withdraw", {"reason": "gone"})["state"] == "withdrawn"


def test_chains_are_refused_with_a_reason_and_listed_by_state(api: Api, issuer: str, make_ca: Ca) -> None:
    first, second = (submit(api, issuer, make_ca, name)["id"] for name in ("One", "Two"))
    assert api("POST", f"/chains/{first}/refuse", {"reason": "not yours"})["reason"] == "not yours"
    assert [each["id"] for each in api("GET", "/chains?state=submitted")["items"]] == [second]
    page = api("GET", f"/chains?customer={issuer}&limit=1")
    assert ([each["id"] for each in page["items"]], page["next"]) == ([first], first)
    problem = api("POST", "/chains", {"customer": issuer, "chain": "x"}, 422)
    assert problem["errors"][0]["type"] == problem["type"]
