"""A check says what a submission would, and stores nothing but what is banned."""

from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bothways.operations.hub import Hub
from bothways.operations.keys import list_banned_keys
from bothways.operations.request_check import check_request
from bothways.operations.requests import list_requests


def test_a_good_request_is_told_as_it_was_understood(hub: Hub, issuer: str, make_csr: Callable[..., bytes]) -> None:
    parsed, findings = check_request(hub, issuer, make_csr())
    assert parsed is not None
    assert findings == ()
    assert list_requests(hub) == ()


def test_everything_that_is_wrong_is_told_at_once(hub: Hub, issuer: str, make_csr: Callable[..., bytes]) -> None:
    parsed, findings = check_request(hub, issuer, make_csr(OU=None, CN="TLSMA-ECDSA/12345678/PRD"))
    assert parsed is None
    assert [each.id for each in findings] == ["CSR-SUBJECT-01", "CSR-CN-01"]


def test_a_private_key_is_banned_by_a_look(hub: Hub, issuer: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    parsed, findings = check_request(hub, issuer, pem)
    assert parsed is None
    assert findings
    assert len(list_banned_keys(hub)) == 1
