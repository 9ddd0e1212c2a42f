import pytest
from tests.web.api.conftest import Api

from bothways.web.api.answers import ANSWERS
from bothways.web.api.location import LOCATED, location


@pytest.mark.parametrize(
    ("path", "made", "shown"),
    [
        ("/customers", {"customer": "7", "kind": "issuer"}, "/customers/7"),
        ("/requests", {"id": 3, "customer": "7"}, "/requests/3"),
        ("/endpoints", {"id": 3, "customer": "7"}, "/endpoints/3"),
        ("/endpoints", {"customer": "7", "state": "approved"}, "/customers/7/endpoint"),
        ("/customers", {"customer": "a/../b"}, "/customers/a%2F..%2Fb"),
        ("/rotation", {"serial": "1a"}, None),
    ],
)
def test_it_is_where_the_thing_is_shown(path: str, made: dict[str, object], shown: str | None) -> None:
    assert location(path, made) == shown


def test_each_has_an_operation_that_makes_and_one_that_shows() -> None:
    shown = {path.rpartition("/")[0] for method, path in ANSWERS if method == "GET" and path.endswith("}")}
    assert {path for path in LOCATED if ("POST", path) in ANSWERS and path in shown} == LOCATED
    # Certificates are not made by an operation of their own.
    assert {path for path in shown if ("POST", path) in ANSWERS} == LOCATED


def test_what_was_made_is_found_there_and_again_under_its_key(api: Api, issuer: str) -> None:
    shop = {"customer": "99", "kind": "merchant", "organization": "Shop"}
    person = {"email": "c@bank.example", "name": "C", "role": "customer-member", "customer": issuer}
    for path, body in (("/customers", shop), ("/people", person)):
        made, again = (api("POST", path, body, 201, raw=True, headers={"Idempotency-Key": path}) for _ in range(2))
        where = made.headers["location"]
        assert (again.headers["location"], again.headers["idempotency-replayed"]) == (where, "true")
        found = api("GET", where.removeprefix("/api/v1"))
        assert {name: found[name] for name in body} == body
    token = api("POST", "/tokens", {"name": "t", "role": "auditor"}, 201, raw=True)
    assert api("GET", token.headers["location"].removeprefix("/api/v1"))["name"] == "t"


def test_what_has_no_address_or_was_refused_has_none(api: Api, issuer: str) -> None:
    contact = {"kind": "email", "address": "a@b.example"}
    assert "location" not in api("POST", f"/customers/{issuer}/contacts", contact, 201, raw=True).headers
    taken = {"customer": issuer, "kind": "issuer", "organization": "First Bank"}
    assert "location" not in api("POST", "/customers", taken, 409, raw=True).headers
