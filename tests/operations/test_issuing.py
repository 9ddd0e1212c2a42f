"""The second half of an approval: nothing is stored but signatures that hold, and repeating it changes nothing."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from tests.operations.conftest import Audit
from tests.stored_keys import keys_as

from bothways.errors import Unusable
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


@pytest.fixture
def broken(hub: Hub) -> Hub:
    return replace(hub, keys=keys_as(BrokenKeys, hub))


def test_groups_keep_the_order_and_lose_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(issuing, "GROUP", 3)
    assert list(in_groups(range(7))) == [range(3), range(3, 6), range(6, 7)]
    assert list(in_groups(())) == []


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
