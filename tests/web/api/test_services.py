from tests.web.api.conftest import Api

from bothways.registry.access import Role

NEW = {"name": "tokens", "prefix": "/tokens", "upstream": "http://127.0.0.1:9"}


def test_services_are_added_listed_granted_and_withdrawn(api: Api, issuer: str) -> None:
    made = api("POST", "/services", NEW, 201)
    assert (made["needs"], made["customers"], made["in_force"]) == (["inbound"], 0, True)
    assert api("GET", "/services", role=Role.CUSTOMER_MEMBER)["items"] == []
    grant = f"/services/tokens/grants/{issuer}"
    assert api("PUT", grant)["granted"] is True
    [listed] = api("GET", "/services")["items"]
    assert listed["customers"] == 1
    assert api("GET", "/services/tokens/grants") == {
        "items": [{"customer": issuer, "organization": "First Bank"}],
        "next": None,
    }
    assert api("GET", f"/services/tokens/grants?after={issuer}")["items"] == []
    api("GET", "/services/other/grants", None, 404)
    own = api("GET", "/services", role=Role.CUSTOMER_MEMBER)["items"]
    assert own == [{"name": "tokens", "prefix": "/tokens", "needs": ["inbound"]}]
    assert api("DELETE", f"{grant}?reason=tested")["granted"] is False
    api("DELETE", f"{grant}?reason=tested", None, 409)
    assert [each["id"] for each in api("POST", "/services", NEW | {"name": "A", "prefix": "x"}, 422)["errors"]] == [
        "SERVICE-01",
        "SERVICE-02",
    ]
