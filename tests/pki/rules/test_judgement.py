from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA384

from bothways.contract.document import Environment, Terms
from bothways.pki.request import parse_request
from bothways.pki.rules import RULES, Applicant, request_findings

MakeCsr = Callable[..., bytes]
TERMS = Terms(Environment.PPR, "hub.example", "https://api.hub.example", "https://portal.hub.example")
APPLICANT = Applicant("12345678", TERMS, "First Bank")
CN = "TLSMA-ECDSA/12345678/PPR"
AGREED = [("CN", CN, "UTF8String")]

# Names of customers are as long as they are; that the library warns of them is no news to the rules.
pytestmark = pytest.mark.filterwarnings("ignore:Attribute's length:UserWarning")


def judged(csr: bytes, applicant: Applicant = APPLICANT) -> list[str]:
    return [each.id for each in request_findings(parse_request(csr), applicant, "tls.csr")]


def test_each_rule_has_an_id_of_its_own_and_a_citation() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert [rule.id for rule in RULES if not rule.citation] == []


def test_a_good_request_has_no_findings(make_csr: MakeCsr, rsa_key: rsa.RSAPrivateKey) -> None:
    assert judged(make_csr()) == []
    assert judged(make_csr(rsa_key, CN="TLSMA-RSA/12345678/PPR")) == []


def test_all_findings_come_at_once_in_the_order_of_the_rules(strange_csr: MakeCsr) -> None:
    key = ec.generate_private_key(ec.SECP384R1())
    csr = strange_csr([("CN", "x", "BMPString")], key=key, digest=SHA384(), without="OU")
    found = ["CSR-KEY-01", "CSR-KEY-02", "CSR-SUBJECT-01", "CSR-SUBJECT-06", "CSR-CN-01"]
    assert judged(csr) == found
