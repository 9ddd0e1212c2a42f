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
    suspended = api("POST", "/customers/12345678/suspend", {"reason": "tested"})
    assert (suspended["suspended"], suspended["in_force"]) == (True, True)
    assert api("POST", "/customers/12345678/resume")["suspended"] is False
    assert api("DELETE", "/customers/12345678?reason=tested")["removed"] is True
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


def test_who_may_need_a_person_is_listed_by_why(hub: Hub, api: Api) -> None:
    for tsp_id in ("1001", "1002"):
        add_customer(hub, tsp_id, CustomerKind.MERCHANT, f"Shop {tsp_id}")
    api("POST", "/customers/1002/suspend", {"reason": "tested"})

    def found(query: str) -> list[str]:
        return [each["customer"] for each in api("GET", f"/customers?{query}")["items"]]

    assert found("attention=suspended") == found("suspended=true") == found("search=1002") == ["1002"]
    assert found("attention=waiting") == []
    assert found("inbound=suspended&limit=1") == ["1002"]
    api("GET", "/customers?attention=often", None, 422)
