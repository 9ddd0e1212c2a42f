from collections.abc import Callable

import pytest
from tests.web.api.conftest import OTHER, Api

from bothways.connectivity.observation import FailedHandshake, RefusedRequest
from bothways.operations.customers import add_customer
from bothways.operations.hub import Hub
from bothways.operations.observations import Times, observe
from bothways.registry.access import Role
from bothways.registry.customer import CustomerKind
from bothways.store.certificates import StoredCertificate

MEMBER = Role.CUSTOMER_MEMBER


@pytest.fixture
def observed(hub: Hub, certify: Callable[[], StoredCertificate]) -> StoredCertificate:
    """A certificate of the issuer that was refused at three paths; and a stranger who spoke plain HTTP."""
    add_customer(hub, OTHER, CustomerKind.ISSUER, "Second Bank")
    record, at = certify(), hub.now()
    observe(hub, {FailedHandshake(at, "192.0.2.2", "HTTP_REQUEST"): Times(1, at)})
    for path in ("/a", "/b", "/c"):
        refused = RefusedRequest(at, "192.0.2.1", record.fingerprint or "", "", 404, "direct_response", path=path)
        observe(hub, {refused: Times(1, at)})
    return record


@pytest.mark.usefixtures("observed")
def test_a_customer_reads_its_own_the_last_first_by_either_path(api: Api) -> None:
    paths = ["no service stands at '/c'", "no service stands at '/b'", "no service stands at '/a'"]
    for path in ("/customers/12345678/observations", "/observations"):
        found = api("GET", path, role=MEMBER)
        assert [each["finding"]["message"] for each in found["items"]] == paths
        assert found["next"] is None
        first = api("GET", f"{path}?limit=2", role=MEMBER)
        rest = api("GET", f"{path}?limit=2&after={first['next']}", role=MEMBER)
        assert [each["finding"]["message"] for each in (*first["items"], *rest["items"])] == paths


@pytest.mark.usefixtures("observed")
def test_another_customer_reads_nothing_of_it(api: Api) -> None:
    assert api("GET", "/observations", role=MEMBER, tsp_id=OTHER) == {"items": [], "next": None}
    api("GET", "/customers/12345678/observations", None, 404, role=MEMBER, tsp_id=OTHER)


@pytest.mark.usefixtures("observed")
def test_those_of_nobody_known_are_for_the_hub_alone(api: Api) -> None:
    assert len(api("GET", "/observations", role=Role.AUDITOR)["items"]) == 4
    [stranger] = api("GET", "/observations?unmatched=true", role=Role.AUDITOR)["items"]
    assert (stranger["customer"], stranger["source"]) == (None, "192.0.2.2")
    api("GET", "/observations?unmatched=true", None, 403, role=MEMBER)


def test_a_customer_that_is_not_there_is_not_found(api: Api) -> None:
    api("GET", "/customers/999/observations", None, 404)
