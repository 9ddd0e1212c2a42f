"""The second half of an approval: nothing is stored but signatures that hold, and repeating it changes nothing."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from sqlalchemy import text
from tests.operations.conftest import Audit
from tests.stored_keys import keys_as
from tests.vectors import shape
from tests.verification.answers import answered

from bothways.errors import Refused, Unusable
from bothways.operations import issuing
from bothways.operations.certificates import list_certificates
from bothways.operations.hub import Hub
from bothways.operations.issuing import in_groups, sign_reserved
from bothways.operations.requests import approve_all, submit_request
from bothways.operations.upkeep import upkeep
from bothways.pki.issue import Unsigned
from bothways.pki.revocation import UnsignedList
from bothways.signer.keys import Keys
from bothways.signer.signer import Signer
from bothways.store import authorities, requests
from bothways.store.authorities import Role
from bothways.store.certificates import StoredCertificate
from bothways.verification import verifier
from bothways.verification.process import possession_of
from bothways.verification.verifier import Verifier

Csr = Callable[..., bytes]


class Broken:
    """A token with a fault: what it signs is not what it was given."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    @property
    def public_key(self) -> CertificatePublicKeyTypes:
        return self._signer.public_key

    def sign(self, unsigned: Unsigned | UnsignedList) -> bytes:
        return self._signer.sign(Unsigned(unsigned.der + b"\0"))


class BrokenKeys(Keys):
    """The keys of a hub whose token has a fault."""

    def signer_of(self, certificate: x509.Certificate, name: str) -> Signer:
        return Broken(super().signer_of(certificate, name))


@pytest.fixture(params=["here", "elsewhere"])
def verifying(hub: Hub, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """The hub, with a process that verifies and is ready, or with none."""
    if request.param == "here":
        yield hub
        return
    monkeypatch.setattr(verifier, "_cores", lambda: 2)
    process = Verifier(least=1)
    answered(process, [possession_of(shape.good())])
    yield replace(hub, verifier=process)
    process.close()


@pytest.fixture
def broken(verifying: Hub) -> Hub:
    return replace(verifying, keys=keys_as(BrokenKeys, verifying))


def test_groups_keep_the_order_and_lose_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(issuing, "GROUP", 3)
    assert list(in_groups(range(7))) == [range(3), range(3, 6), range(6, 7)]
    assert list(in_groups(())) == []


def test_what_is_verified_elsewhere_is_issued_as_what_is_verified_here(
    verifying: Hub, issuer: str, make_csr: Csr, audited: Audit
) -> None:
    numbers = [submit_request(verifying, issuer, make_csr()).id for _ in range(20)]
    records = [each.outcome for each in approve_all(verifying, numbers)]
    with verifying.read() as connection:
        [authority] = authorities.trusted(connection, Role.ISSUING)
    for record in records:
        assert isinstance(record, StoredCertificate)
        x509.load_der_x509_certificate(record.der or b"").verify_directly_issued_by(authority.certificate)
    assert [(each.request_id, each) for each in list_certificates(verifying)] == list(
        zip(numbers, records, strict=True)
    )
    assert audited()[-20:] == [("certificate.issue", each.serial) for each in list_certificates(verifying)]


def test_a_stored_request_that_is_not_signed_by_its_key_gets_no_certificate_and_the_others_do(
    verifying: Hub, issuer: str, make_csr: Csr
) -> None:
    first, second, third = [submit_request(verifying, issuer, make_csr()).id for _ in range(3)]
    with verifying.write() as transaction:
        changed = bytearray(requests.find(transaction.connection, second).request.der)
        changed[-1] ^= 1
        values = {"der": bytes(changed), "number": second}
        transaction.connection.execute(text("UPDATE request SET der = :der WHERE id = :number"), values)
    outcomes = {each.number: each.outcome for each in approve_all(verifying, (first, second, third))}
    refused = outcomes.pop(second)
    assert isinstance(refused, Refused)
    assert [each.id for each in refused.findings] == ["CSR-POP-01"]
    assert [each.request_id for each in list_certificates(verifying)] == [first, third] == [*outcomes]


def test_a_signature_that_does_not_hold_is_thrown_away(
    hub: Hub, broken: Hub, issuer: str, make_csr: Csr, audited: Audit
) -> None:
    numbers = [submit_request(hub, issuer, make_csr()).id for _ in range(2)]
    with pytest.raises(Unusable, match=r"signature for certificate [0-9a-f]+ that does not hold"):
        list(approve_all(broken, numbers))
    left = list_certificates(hub)
    assert [each.der for each in left] == [None, None]
    assert "certificate.issue" not in {action for action, _ in audited()}
    assert len([each for each in upkeep(hub).done if "is signed" in each]) == 2
    assert [each.serial for each in list_certificates(hub)] == [each.serial for each in left]


def test_repeating_changes_nothing_and_the_first_signature_stands(
    hub: Hub, broken: Hub, issuer: str, make_csr: Csr, audited: Audit
) -> None:
    number = submit_request(hub, issuer, make_csr()).id
    with pytest.raises(Unusable):
        list(approve_all(broken, (number,)))
    unsigned = list_certificates(hub)
    first = sign_reserved(hub, unsigned)
    before = audited()
    assert sign_reserved(hub, unsigned) == sign_reserved(hub, first) == first == list_certificates(hub)
    assert audited() == before
    assert before[-1] == ("certificate.issue", first[0].serial)
