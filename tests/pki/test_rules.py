from collections.abc import Callable
from dataclasses import replace
from math import gcd
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA384, SHA512

from bothways.contract.document import Environment, KeyType, RequestTerms, Terms
from bothways.findings import Level
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


@pytest.mark.parametrize("curve", [ec.SECP384R1(), ec.SECP521R1(), ec.SECP256K1()])
def test_csr_key_01_refuses_another_curve(make_csr: MakeCsr, curve: ec.EllipticCurve) -> None:
    assert judged(make_csr(ec.generate_private_key(curve))) == ["CSR-KEY-01"]


@pytest.mark.parametrize("bits", [2048, 3072])
def test_csr_key_01_refuses_a_smaller_rsa_key(make_csr: MakeCsr, bits: int) -> None:
    key = rsa.generate_private_key(65537, bits)
    (finding,) = request_findings(parse_request(make_csr(key, CN="TLSMA-RSA/12345678/PPR")), APPLICANT, "tls.csr")
    assert str(finding) == (
        f"CSR-KEY-01: the key is RSA with {bits} bits and exponent 65537; ECDSA P-256 or RSA 4096 is wanted (tls.csr). "
        "Make a new key, and a request for it."
    )


def test_csr_key_01_refuses_another_exponent(make_csr: MakeCsr, rsa_key: rsa.RSAPrivateKey) -> None:
    p, q = rsa_key.private_numbers().p, rsa_key.private_numbers().q
    exponent = next(each for each in (3, 5, 7, 11, 13, 17, 19, 257) if gcd(each, (p - 1) * (q - 1)) == 1)
    d = rsa.rsa_recover_private_exponent(exponent, p, q)
    crt = rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q)
    key = rsa.RSAPrivateNumbers(p, q, d, *crt, rsa.RSAPublicNumbers(exponent, p * q)).private_key()
    assert judged(make_csr(key, CN="TLSMA-RSA/12345678/PPR")) == ["CSR-KEY-01"]


def test_csr_key_01_and_02_refuse_ed25519(strange_csr: MakeCsr) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    assert judged(strange_csr(AGREED, key=key)) == ["CSR-KEY-01", "CSR-KEY-02"]


def test_csr_key_01_refuses_a_good_key_that_the_contract_does_not_list(make_csr: MakeCsr) -> None:
    rsa_only = replace(TERMS, request=RequestTerms(keys=(KeyType.RSA,)))
    assert judged(make_csr(), replace(APPLICANT, terms=rsa_only)) == ["CSR-KEY-01"]


@pytest.mark.parametrize("digest", [SHA384(), SHA512()])
def test_csr_key_02_refuses_another_digest(strange_csr: MakeCsr, digest: Any) -> None:
    assert judged(strange_csr(AGREED, digest=digest)) == ["CSR-KEY-02"]


@pytest.mark.parametrize("missing", ["C", "ST", "L", "O", "OU", "CN"])
def test_csr_subject_01_refuses_a_subject_without(make_csr: MakeCsr, missing: str) -> None:
    assert judged(make_csr(**{missing: None})) == ["CSR-SUBJECT-01"]


@pytest.mark.parametrize("name", ["ST", "L", "OU", "CN"])
def test_csr_subject_01_refuses_a_second(strange_csr: MakeCsr, name: str) -> None:
    second = CN if name == "CN" else "Paris"
    assert judged(strange_csr(AGREED, [(name, second, "UTF8String")])) == ["CSR-SUBJECT-01"]


def test_csr_subject_01_refuses_two_names_in_one_part(strange_csr: MakeCsr) -> None:
    assert judged(strange_csr([*AGREED, ("OU", "Payments", "UTF8String")], without="OU")) == ["CSR-SUBJECT-01"]


def test_csr_subject_01_refuses_two_common_names_in_one_part(strange_csr: MakeCsr) -> None:
    both = [*AGREED, ("CN", "TLSMA-ECDSA/99999999/PPR", "UTF8String")]
    assert judged(strange_csr(both)) == ["CSR-SUBJECT-01", "CSR-SUBJECT-01"]


def test_csr_subject_01_refuses_an_attribute_that_was_not_agreed(strange_csr: MakeCsr) -> None:
    assert judged(strange_csr(AGREED, [("emailAddress", "a@b.example", "IA5String")])) == ["CSR-SUBJECT-01"]


@pytest.mark.parametrize("kind", ["BMPString", "T61String", "UniversalString", "IA5String", "VisibleString"])
def test_csr_subject_02_refuses_a_twin_in_another_string_type(strange_csr: MakeCsr, kind: str) -> None:
    assert judged(strange_csr([("CN", CN, kind)])) == ["CSR-SUBJECT-02"]


@pytest.mark.parametrize("kind", ["UTF8String", "PrintableString"])
def test_csr_subject_02_accepts_both_agreed_string_types(strange_csr: MakeCsr, kind: str) -> None:
    assert judged(strange_csr([("CN", CN, kind)])) == []


@pytest.mark.parametrize("unit", ["Pay\0ments", "Payments\n", " Payments", "x" * 65, "Pay\u200bments", " "])
def test_csr_subject_02_refuses_what_cannot_be_seen_and_what_is_too_long(strange_csr: MakeCsr, unit: str) -> None:
    csr = strange_csr(AGREED, [("OU", unit, "UTF8String")], without="OU")
    assert set(judged(csr)) == {"CSR-SUBJECT-02"}


@pytest.mark.parametrize("country", ["fr", "Fr", "F1"])
def test_csr_subject_02_refuses_a_country_that_is_none(make_csr: MakeCsr, country: str) -> None:
    assert judged(make_csr(C=country)) == ["CSR-SUBJECT-02"]


def test_csr_subject_03_asks_for_a_look_at_another_organization(make_csr: MakeCsr) -> None:
    (finding,) = request_findings(parse_request(make_csr(O="FIRST BANK SA")), APPLICANT, "tls.csr")
    assert (finding.id, finding.level) == ("CSR-SUBJECT-03", Level.WARNING)


def test_csr_subject_03_is_silent_where_none_is_registered(make_csr: MakeCsr) -> None:
    assert judged(make_csr(O="Another Bank"), replace(APPLICANT, organization="")) == []


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("TLSMA-RSA/12345678/PPR", "the marker is RSA, but the key is ECDSA"),
        ("TLSMA-ECDSA/12345678/PRD", "it is for PRD, and this is PPR"),
        ("TLSMA-ECDSA/87654321/PPR", "the tspId 12345678 is not in it"),
        ("TLSMA-ECDSA/١٢٣٤٥٦٧٨/PPR", "the tspId 12345678 is not in it"),
        ("tlsma-ecdsa/12345678/ppr", "it does not follow the agreed pattern"),
        ("TLSMA-ECDSA/123456789/PPR", "it does not follow the agreed pattern"),
        ("TLSMA-ECDSA\\/12345678\\/PPR", "it does not follow the agreed pattern"),
        ("TLSMA-ECDSA/12345678/PPR,O=Evil", "it does not follow the agreed pattern"),
        ("O=Evil/CN=TLSMA-ECDSA/12345678/PPR", "it does not follow the agreed pattern"),
    ],
)
def test_csr_cn_01_refuses_every_other_name_and_says_why(make_csr: MakeCsr, name: str, why: str) -> None:
    (finding,) = request_findings(parse_request(make_csr(CN=name)), APPLICANT, "tls.csr")
    assert (finding.id, finding.message) == ("CSR-CN-01", f"the common name is {name!r}, wanted is {CN!r}: {why}")


@pytest.mark.parametrize("name", [f"{CN}\n", f"{CN}\0", f" {CN}", f"{CN}\0.evil.example", CN + "x" * 64])
def test_csr_cn_01_takes_nothing_before_or_after_the_name(strange_csr: MakeCsr, name: str) -> None:
    assert set(judged(strange_csr([("CN", name, "UTF8String")]))) == {"CSR-SUBJECT-02", "CSR-CN-01"}


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


def test_all_findings_come_at_once_in_the_order_of_the_rules(strange_csr: MakeCsr) -> None:
    key = ec.generate_private_key(ec.SECP384R1())
    csr = strange_csr([("CN", "x", "BMPString")], key=key, digest=SHA384(), without="OU")
    found = ["CSR-KEY-01", "CSR-KEY-02", "CSR-SUBJECT-01", "CSR-SUBJECT-02", "CSR-CN-01"]
    assert judged(csr) == found
