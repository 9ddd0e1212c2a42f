from collections.abc import Callable
from typing import Any

from tests.outbound.signing import returned_by
from tests.web.api.conftest import Api

from bothways.operations.customer_credentials import show_credentials
from bothways.operations.hub import Hub


def test_the_customers_own_ca_signs_for_the_hub(hub: Hub, api: Api, issuer: str, make_ca: Callable[..., Any]) -> None:
    where = f"/customers/{issuer}/outbound-credentials"
    api("POST", where, {"subject": {"Z": "no such attribute"}}, 422)
    made = api("POST", where, {"subject": {"CN": "hub at bank"}}, 201)
    assert (made["state"], made["subject"]) == ("requested", "CN=hub at bank")
    api("POST", where, {}, 409)
    assert api("POST", where, {"subject": {"C": "FRANCE"}, "again": True}, 422)["errors"][0]["id"] == "CSR-SUBJECT-02"
    returned = returned_by(make_ca("Bank Clients"), show_credentials(hub, issuer)[0]).decode()
    installed = api("POST", f"{where}/install", {"certificate": returned})
    assert (installed["state"], installed["in_force"]) == ("active", True)
    assert [each["id"] for each in api("GET", where)["items"]] == [made["id"]]
    assert api("POST", f"{where}/remove", {"reason": "it ended"})["removed"] is True
    api("POST", f"{where}/remove", {"reason": "it ended"}, 404)


def test_the_rotation_is_started_and_shown(api: Api) -> None:
    before = api("GET", "/rotation")["certificates"]["client"]["serial"]
    forced = api("POST", "/rotation", {"force": True}, 201)
    assert (forced["in_force"], forced["held"]) == (True, [])
    assert api("GET", "/rotation")["certificates"]["client"]["serial"] == forced["serial"] != before
    assert api("POST", "/rotation", {}, 201)["serial"] != forced["serial"]
