from collections.abc import Callable

from tests.web.api.conftest import Api

from bothways.operations.certificates import certificate_chain
from bothways.operations.hub import Hub
from bothways.registry.access import Role
from bothways.store.certificates import StoredCertificate

Certify = Callable[[], StoredCertificate]


def test_certificates_are_listed_shown_and_revoked(hub: Hub, api: Api, certify: Certify) -> None:
    first, second = certify(), certify()
    page = api("GET", "/certificates?limit=1", role=Role.CUSTOMER_MEMBER)
    assert ([each["serial"] for each in page["items"]], page["next"]) == ([first.serial], first.request_id)
    rest = api("GET", f"/certificates?after={page['next']}")
    assert ([each["serial"] for each in rest["items"]], rest["next"]) == ([second.serial], None)
    shown = api("GET", f"/certificates/{first.serial}", role=Role.CUSTOMER_MEMBER)
    assert shown["chain"] == certificate_chain(hub, first)
    assert api("POST", f"/certificates/{first.serial}/revoke", {})["revoked_reason"] == "unspecified"
    assert "revoked already" in api("POST", f"/certificates/{first.serial}/revoke", {}, 409)["detail"]
    api("POST", f"/certificates/{second.serial}/revoke", {"reason": "removeFromCRL"}, 422)
    api("GET", "/certificates/abc", None, 404)
