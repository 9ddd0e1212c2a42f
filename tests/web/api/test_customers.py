from tests.web.api.conftest import Api

from bothways.operations.customers import add_customer, show_customer
from bothways.operations.hub import Hub
from bothways.registry.customer import CustomerKind

NEW = {"customer": "12345678", "kind": "issuer", "organization": "First Bank"}


def test_a_customer_is_added_shown_suspended_resumed_and_removed(hub: Hub, api: Api) -> None:
    assert api("POST", "/customers", NEW, 201) == show_customer(hub, "12345678").document()
    assert (
        api("GET", "/customers/12345678")["inbound"]["state"] == show_customer(hub, "12345678").assessment.inbound.state
    )
    suspended = api("POST", "/customers/12345678/suspend")
    assert (suspended["suspended"], suspended["in_force"]) == (True, True)
    assert api("POST", "/customers/12345678/resume")["suspended"] is False
    assert api("DELETE", "/customers/12345678")["removed"] is True
    assert api("GET", "/customers/12345678", None, 404)["type"] == "urn:bothways:problem:notfound"


def test_what_is_wrong_is_told_with_the_findings(api: Api) -> None:
    problem = api("POST", "/customers", NEW | {"customer": "a b"}, 422)
    assert [each["id"] for each in problem["errors"]] == ["CUSTOMER-01"]
    api("POST", "/customers", NEW | {"more": 1}, 422)
    api("POST", "/customers", NEW, 201)
    assert "exists already" in api("POST", "/customers", NEW, 409)["detail"]


def test_pages_hold_everybody_once(hub: Hub, api: Api) -> None:
    for number in range(7):
        add_customer(hub, f"1000000{number}", CustomerKind.MERCHANT, f"Shop {number}")
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page = api("GET", f"/customers?limit=3&after={after}")
        assert len(page["items"]) <= 3
        seen += [each["customer"] for each in page["items"]]
        after = page["next"]
    assert seen == [f"1000000{number}" for number in range(7)]
    api("GET", "/customers?limit=201", None, 422)
