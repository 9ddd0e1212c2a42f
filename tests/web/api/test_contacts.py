from tests.web.api.conftest import Api

from bothways.registry.access import Role


def test_contacts_are_added_listed_and_removed(api: Api, issuer: str) -> None:
    for where, whose in ((f"/customers/{issuer}/contacts", issuer), ("/hub/contacts", None)):
        hook = api("POST", where, {"kind": "webhook", "address": "https://bank.example/hook"}, 201)
        assert (hook["customer"], hook["secret"][:6]) == (whose, "whsec_")
        [listed] = api("GET", where)["items"]
        assert listed == {key: value for key, value in hook.items() if key not in {"secret", "sending"}}
        assert api("DELETE", f"{where}/{hook['id']}?reason=moved")["removed"] is True
        api("DELETE", f"{where}/{hook['id']}?reason=moved", None, 404)
    problem = api("POST", "/hub/contacts", {"kind": "email", "address": "nobody"}, 422)
    assert problem["type"].endswith("/problems/CONTACT-ADDRESS")


def test_a_customer_reads_who_is_told(api: Api, issuer: str) -> None:
    api("POST", f"/customers/{issuer}/contacts", {"kind": "email", "address": "a@bank.example"}, 201)
    [own] = api("GET", f"/customers/{issuer}/contacts", role=Role.CUSTOMER_MEMBER)["items"]
    assert own["address"] == "a@bank.example"
