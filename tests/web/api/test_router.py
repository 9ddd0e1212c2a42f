"""What the document of the interface says of each operation."""

from tests.web.conftest import Ask, applied

from bothways.operations.hub import Hub
from bothways.web.portal import portal_app


def test_every_operation_is_described_and_asks_for_a_token(hub: Hub, ask: Ask) -> None:
    document = ask(portal_app(hub, applied), "GET", "/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    found = [
        each for path, methods in document["paths"].items() if path.startswith("/api/v1/") for each in methods.values()
    ]
    assert {tag for each in found for tag in each["tags"]} == {
        "customers",
        "requests",
        "certificates",
        "observations",
        "probes",
    }
    assert all(each["description"] and each["security"] == [{"HTTPBearer": []}] for each in found)
