"""What becomes of a customer is for the hub's people, and for nobody else."""

from collections.abc import Callable
from typing import Any

from tests.web.pages.conftest import Visitor

from bothways.operations.chains import endorse_chain, show_chain, submit_chain
from bothways.operations.customers import show_customer
from bothways.operations.hub import Hub
from bothways.operations.services import add_service, services_of
from bothways.pki.chain import certificate_pem
from bothways.registry.service import Service


def test_a_service_is_granted_by_the_hub_alone(hub: Hub, operator: Visitor, bank: Visitor, issuer: str) -> None:
    add_service(hub, Service("tokens", "/tokens", "http://127.0.0.1:9000"))
    path = f"/customers/{issuer}/services/tokens"
    assert bank.post(path, granted="yes").status_code == 403
    for granted in ("yes", ""):
        assert operator.post(path, granted=granted, reason="tested").status_code == 303
        assert [own for _, own in services_of(hub, issuer)] == [bool(granted)]


def test_a_customer_is_suspended_and_resumed_by_the_hub_alone(
    hub: Hub, operator: Visitor, bank: Visitor, issuer: str
) -> None:
    for step, suspended in (("suspend", True), ("resume", False)):
        assert bank.post(f"/customers/{issuer}/{step}").status_code == 403
        answer = operator.post(f"/customers/{issuer}/{step}", reason="tested")
        assert answer.headers["location"] == f"/customers/{issuer}/home?done=in-force"
        assert show_customer(hub, issuer).customer.suspended is suspended
    assert "Suspend this customer" in operator.get(f"/customers/{issuer}/home").text
    assert "Suspend this customer" not in bank.get(f"/customers/{issuer}/home").text


def test_an_endorsement_is_withdrawn_with_a_reason(
    hub: Hub, operator: Visitor, bank: Visitor, issuer: str, other: str, make_ca: Callable[..., Any]
) -> None:
    number = submit_chain(hub, issuer, certificate_pem(make_ca("Bank Root")[1]).encode()).id
    endorse_chain(hub, number)
    assert bank.post(f"/customers/{issuer}/chains/{number}/withdraw", reason="x").status_code == 403
    assert operator.post(f"/customers/{other}/chains/{number}/withdraw", reason="x").status_code == 404
    silent = operator.post(f"/customers/{issuer}/chains/{number}/withdraw", reason=" ")
    assert (silent.status_code, "the reason was left blank" in silent.text) == (422, True)
    assert show_chain(hub, number).state == "endorsed"
    operator.post(f"/customers/{issuer}/chains/{number}/withdraw", reason="the CA was sold")
    assert (show_chain(hub, number).state, show_chain(hub, number).reason) == ("withdrawn", "the CA was sold")
    assert "the CA was sold" in bank.get(f"/customers/{issuer}/trust").text
