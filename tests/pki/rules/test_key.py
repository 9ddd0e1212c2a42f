from collections.abc import Callable
from dataclasses import replace
from math import gcd
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA384, SHA512
from tests.vectors import keys
from tests.vectors.shape import good_rsa

from bothways.contract.document import Environment, KeyType, RequestTerms, Terms
from bothways.pki.request import parse_request
from bothways.pki.rules import Applicant, KnownKeys, request_findings

MakeCsr = Callable[..., bytes]
TERMS = Terms(Environment.PPR, "hub.example", "https://api.hub.example", "https://portal.hub.example")
APPLICANT = Applicant("12345678", TERMS, "First Bank")
CN = "TLSMA-ECDSA/12345678/PPR"
AGREED = [("CN", CN, "UTF8String")]

# Names of customers are as long as they are; that the library warns of them is no news to the rules.
pytestmark = pytest.mark.filterwarnings("ignore:Attribute's length:UserWarning")


def judged(csr: bytes, applicant: Applicant = APPLICANT) -> list[str]:
    return [each.id for each in request_findings(parse_request(csr), applicant, "tls.csr")]


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


def test_csr_key_01_refuses_ed25519(strange_csr: MakeCsr) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    assert judged(strange_csr(AGREED, key=key)) == ["CSR-KEY-01"]


def test_csr_key_01_refuses_a_good_key_that_the_contract_does_not_list(make_csr: MakeCsr) -> None:
    rsa_only = replace(TERMS, request=RequestTerms(keys=(KeyType.RSA,)))
    assert judged(make_csr(), replace(APPLICANT, terms=rsa_only)) == ["CSR-KEY-01"]


@pytest.mark.parametrize("digest", [SHA384(), SHA512()])
def test_csr_key_02_refuses_another_digest(strange_csr: MakeCsr, digest: Any) -> None:
    assert judged(strange_csr(AGREED, digest=digest)) == ["CSR-KEY-02"]


def test_csr_key_10_says_why_and_is_for_that_key_alone(make_csr: MakeCsr) -> None:
    csr = make_csr()
    known = KnownKeys({parse_request(csr).spki_pin: "its private key was given away"})
    [finding] = request_findings(parse_request(csr), replace(APPLICANT, known=known), "tls.csr")
    assert str(finding) == (
        "CSR-KEY-10: the key is banned for good: its private key was given away (tls.csr). "
        "Make a new key, and a request for it."
    )
    assert judged(make_csr(), replace(APPLICANT, known=known)) == []


def test_csr_key_09_finds_one_prime_or_both_in_the_product_of_other_keys() -> None:
    common, own = keys.primes("shared")
    request = good_rsa("shared")
    for moduli, found in (
        (keys.rsa("good").n, []),
        (keys.rsa("sharing").n, ["CSR-KEY-09"]),
        (keys.rsa("good").n * keys.rsa("sharing").n * own, ["CSR-KEY-09"]),
        (common * own, ["CSR-KEY-09"]),
    ):
        assert judged(request, replace(APPLICANT, known=KnownKeys(moduli=moduli))) == found
