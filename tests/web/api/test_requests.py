from collections.abc import Callable
from dataclasses import replace

import httpx2
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.web.api.conftest import Api
from tests.web.conftest import Ask, applied

from bothways.operations.audit import verify_audit
from bothways.operations.hub import Hub
from bothways.operations.keys import list_banned_keys
from bothways.operations.requests import submit_request
from bothways.operations.settings import TwoPeople
from bothways.operations.tokens import create_token
from bothways.pki.keys import spki_pin
from bothways.registry.access import Role
from bothways.web.portal import portal_app

Csr = Callable[..., bytes]


def test_a_request_is_submitted_by_the_customer_and_approved_by_the_hub(api: Api, issuer: str, make_csr: Csr) -> None:
    body = {"customer": issuer, "csr": make_csr().decode()}
    made = api("POST", "/requests", body, 201, role=Role.CUSTOMER_MEMBER)
    assert (made["state"], made["customer"]) == ("submitted", issuer)
    assert api("POST", "/requests", body, 201)["id"] == made["id"]
    where = f"/requests/{made['id']}"
    api("POST", f"{where}/approve", None, 403, role=Role.CUSTOMER_ADMINISTRATOR)
    issued = api("POST", f"{where}/approve", role=Role.REVIEWER)
    leaf, _ = x509.load_pem_x509_certificates(issued["chain"].encode())
    assert (f"{leaf.serial_number:x}", issued["in_force"]) == (issued["serial"], True)
    shown = api("GET", where)
    assert (shown["state"], shown["decided_by"]) == ("approved", "token:reviewer-hub")
    assert api("POST", f"{where}/withdraw", {"reason": "not theirs"})["state"] == "withdrawn"


def test_where_it_takes_two_people_the_first_is_answered_with_202_and_again_under_its_key(
    hub: Hub, ask: Ask, issuer: str, make_csr: Csr
) -> None:
    strict = replace(hub, settings=replace(hub.settings, two_people=TwoPeople.ALWAYS))
    app = portal_app(strict, applied)
    tokens = {name: create_token(hub, name, Role.OPERATOR, person=f"{name}@hub.example")[1] for name in ("ann", "bob")}

    def post(name: str, path: str, body: object = None, **headers: str) -> httpx2.Response:
        return ask(app, "POST", f"/api/v1{path}", {"Authorization": f"Bearer {tokens[name]}"} | headers, body)

    single, *many = [submit_request(hub, issuer, make_csr()).id for _ in range(3)]
    first = post("ann", f"/requests/{single}/approve", **{"Idempotency-Key": "once"})
    assert (first.status_code, first.headers["content-type"]) == (202, "application/json")
    assert (first.json()["state"], first.json()["by"]) == ("proposed", "ann@hub.example")
    again = post("ann", f"/requests/{single}/approve", **{"Idempotency-Key": "once"})
    assert (again.status_code, again.json(), again.headers["idempotency-replayed"]) == (202, first.json(), "true")
    alone = post("ann", f"/requests/{single}/approve")
    assert (alone.status_code, "takes two different ones" in alone.json()["detail"]) == (403, True)
    shown = ask(app, "GET", f"/api/v1/requests/{single}", {"Authorization": f"Bearer {tokens['bob']}"}).json()
    assert (shown["state"], shown["proposed"]["by"]) == ("submitted", "ann@hub.example")
    assert post("bob", f"/requests/{single}/approve").json()["state"] == "issued"
    assert [each["number"] for each in post("ann", "/requests/approve", {"numbers": many}).json()["proposed"]] == many
    assert len(post("bob", "/requests/approve", {"numbers": many}).json()["approved"]) == len(many)


def test_all_findings_come_at_once(api: Api, issuer: str, make_csr: Csr) -> None:
    body = {"customer": issuer, "csr": make_csr(C=None, CN="wrong").decode()}
    problem = api("POST", "/requests", body, 422)
    assert len(problem["errors"]) > 1
    assert all(each["hint"] for each in problem["errors"])
    for csr in ("", "x" * 100_000):
        assert api("POST", "/requests", body | {"csr": csr}, 422)["status"] == 422


def test_a_refusal_has_a_reason_and_lists_have_pages_and_states(api: Api, issuer: str, make_csr: Csr) -> None:
    numbers = [api("POST", "/requests", {"customer": issuer, "csr": make_csr().decode()}, 201)["id"] for _ in range(3)]
    api("POST", f"/requests/{numbers[0]}/refuse", {}, 422)
    refused = api("POST", f"/requests/{numbers[0]}/refuse", {"reason": "not agreed"})
    assert (refused["state"], refused["reason"]) == ("refused", "not agreed")
    assert api("GET", "/requests/waiting?limit=1") == {"items": [numbers[1]], "next": numbers[1]}
    assert api("GET", f"/requests/waiting?after={numbers[1]}&customer=12345678")["next"] is None
    waiting = api("GET", "/requests?state=submitted&limit=1")
    assert ([each["id"] for each in waiting["items"]], waiting["next"]) == ([numbers[1]], numbers[1])
    last = api("GET", f"/requests?state=submitted&limit=1&after={numbers[1]}")
    assert ([each["id"] for each in last["items"]], last["next"]) == ([numbers[2]], None)
    api("GET", "/requests/0", None, 422)


def test_a_private_key_is_refused_banned_and_not_repeated(
    hub: Hub, api: Api, issuer: str, make_csr: Csr, ecdsa_key: ec.EllipticCurvePrivateKey
) -> None:
    pem = ecdsa_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pin = spki_pin(ecdsa_key.public_key())
    for padding in ("", "#" * 40_000):
        body = {"customer": issuer, "csr": (make_csr(ecdsa_key) + pem).decode() + padding}
        problem = api("POST", "/requests", body, 422, role=Role.CUSTOMER_MEMBER)
        assert [each["id"] for each in problem["errors"]] == ["CSR-FILE-01" if padding else "CSR-FILE-02", "CSR-KEY-10"]
        assert not any(line.decode() in str(problem) for line in pem.splitlines()[1:-1])
    [ban] = list_banned_keys(hub)
    assert (ban.spki_pin, ban.banned_by) == (pin, f"token:customer-member-{issuer}")


def test_a_request_is_looked_at_and_nothing_is_stored(hub: Hub, api: Api, issuer: str, make_csr: Csr) -> None:
    before = verify_audit(hub).lines + 1  # The token that asks.
    good, wrong = make_csr().decode(), make_csr(OU=None, CN="TLSMA-ECDSA/12345678/PRD").decode()
    seen = api("POST", "/requests/check", {"customer": issuer, "csr": good}, role=Role.CUSTOMER_MEMBER)
    refused = api("POST", "/requests/check", {"customer": issuer, "csr": wrong}, role=Role.CUSTOMER_MEMBER)
    assert (api("GET", "/requests")["items"], verify_audit(hub).lines) == ([], before + 1)
    assert (seen["acceptable"], seen["findings"]) == (True, [])
    assert (refused["acceptable"], refused["subject"], refused["fingerprint"]) == (False, None, None)
    told = api("POST", "/requests", {"customer": issuer, "csr": wrong}, 422)["errors"]
    assert {each["id"] for each in told} <= {each["id"] for each in refused["findings"]}
    assert len(told) > 1
    made = api("POST", "/requests", {"customer": issuer, "csr": good}, 201)
    assert [made[each] for each in ("subject", "fingerprint", "spki_pin")] == [
        seen[each] for each in ("subject", "fingerprint", "spki_pin")
    ]
