"""The certificate of a customer's own CA for the hub: its request goes out, the certificate comes in and is shown."""

from collections.abc import Callable
from typing import Any

from cryptography import x509
from tests.outbound.signing import returned_by
from tests.web.pages.conftest import Visit, Visitor

from bothways.operations.customer_credentials import show_credentials
from bothways.operations.hub import Hub
from bothways.registry.access import Role


def test_from_the_request_to_the_certificate_and_back(
    hub: Hub, operator: Visitor, bank: Visitor, issuer: str, make_ca: Callable[..., Any]
) -> None:
    at = f"/customers/{issuer}/own-ca"
    assert bank.get(f"{at}/hub-client.csr").status_code == 404
    assert operator.post(f"{at}/request", O="First Bank", CN="hub", key="ecdsa").status_code == 303
    taken = bank.get(f"{at}/hub-client.csr")
    assert x509.load_pem_x509_csr(taken.content).subject.rfc4514_string() == "CN=hub,O=First Bank"
    again = operator.post(f"{at}/request", key="ecdsa")
    assert (again.status_code, "waits for its certificate" in again.text) == (409, True)
    [waiting] = show_credentials(hub, issuer)
    ca = make_ca("Bank Root")
    data = returned_by(ca, waiting)
    answer = operator.post(f"{at}/install", certificate="", force="yes", files={"file": ("hub.crt", data)})
    assert answer.headers["location"] == f"{at}?done=in-force"
    assert "CN=Bank Root" in bank.get(at).text
    assert operator.post(f"{at}/remove", reason="the bank moved its trust").status_code == 303
    page = bank.get(at).text
    assert "Its own certificate, of its Client CA" in page
    assert "the bank moved its trust" in page


def test_what_no_server_took_and_what_is_no_certificate_is_refused(hub: Hub, operator: Visitor, issuer: str) -> None:
    at = f"/customers/{issuer}/own-ca"
    operator.post(f"{at}/request", key="ecdsa")
    for force in ("", "yes"):
        page = operator.post(f"{at}/install", certificate="nothing", force=force)
        assert page.status_code == 422
        assert 'role="alert"' in page.text
    assert operator.post(f"{at}/request", C="France", again="yes").status_code == 422
    assert [each.chain for each in show_credentials(hub, issuer)] == [""]


def test_the_hub_alone_changes_it(visit: Visit, bank: Visitor, issuer: str, other: str) -> None:
    for visitor in (bank, visit(Role.REVIEWER)):
        for what in ("request", "install", "remove"):
            assert visitor.post(f"/customers/{issuer}/own-ca/{what}", reason="x").status_code == 403
        assert '<form method="post" action="/customers' not in visitor.get(f"/customers/{issuer}/own-ca").text
    assert bank.get(f"/customers/{other}/own-ca").status_code == 404
    assert bank.get(f"/customers/{other}/own-ca/hub-client.csr").status_code == 404
