from tests.web.api.conftest import Api

from bothways.connectivity.facts import ProbeFact
from bothways.operations.customers import add_customer
from bothways.operations.endpoints import record_probe, set_endpoint
from bothways.operations.hub import Hub
from bothways.registry.customer import CustomerKind


def test_the_probes_of_a_customers_server_are_listed_newest_first(hub: Hub, api: Api) -> None:
    add_customer(hub, "12345678", CustomerKind.ISSUER, "First Bank")
    assert api("GET", "/customers/12345678/probes") == {"items": [], "next": None}
    set_endpoint(hub, "12345678", "https://bank.example")
    for seen in ("first", "second"):
        record_probe(hub, "12345678", ProbeFact("bank.example:443", hub.now(), ok=True, seen=seen))
    items = api("GET", "/customers/12345678/probes")["items"]
    assert [each["seen"] for each in items] == ["second", "first"]
    assert (items[0]["findings"], items[0]["evidence"]) == ([], None)
    api("GET", "/customers/00000000/probes", None, 404)
