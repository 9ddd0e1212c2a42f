from collections.abc import Callable

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from bothways.contract.document import Environment, Terms
from bothways.findings import Level
from bothways.pki.request import parse_request
from bothways.pki.rules import Applicant, request_findings

MakeCsr = Callable[..., bytes]
TERMS = Terms(Environment.PPR, "hub.example", "https://api.hub.example", "https://portal.hub.example")
APPLICANT = Applicant("12345678", TERMS, "First Bank")
CN = "TLSMA-ECDSA/12345678/PPR"
AGREED = [("CN", CN, "UTF8String")]

# Names of customers are as long as they are; that the library warns of them is no news to the rules.
pytestmark = pytest.mark.filterwarnings("ignore:Attribute's length:UserWarning")


def judged(csr: bytes, applicant: Applicant = APPLICANT) -> list[str]:
    return [each.id for each in request_findings(parse_request(csr), applicant, "tls.csr")]


def test_csr_extension_01_tells_of_each_extension_that_has_no_effect(strange_csr: MakeCsr) -> None:
    names = x509.SubjectAlternativeName([x509.DNSName("evil.example")])
    wanted = [x509.BasicConstraints(ca=True, path_length=None), names]
    findings = request_findings(parse_request(strange_csr(AGREED, extensions=wanted)), APPLICANT, "tls.csr")
    assert [(each.id, each.level) for each in findings] == [("CSR-EXTENSION-01", Level.WARNING)] * 2


def test_csr_extension_01_is_silent_about_the_key_identifier(
    strange_csr: MakeCsr, ecdsa_key: ec.EllipticCurvePrivateKey
) -> None:
    identifier = x509.SubjectKeyIdentifier.from_public_key(ecdsa_key.public_key())
    assert judged(strange_csr(AGREED, extensions=[identifier])) == []
