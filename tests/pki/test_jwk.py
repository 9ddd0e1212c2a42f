import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from bothways.pki.jwk import KEYS_MOST, private_keys
from bothways.pki.keys import spki_pin


def text_of(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8, "big")).decode().rstrip("=")


def of_rsa(key: rsa.RSAPrivateKey, *, primes: bool = True, **changed: int) -> dict[str, str]:
    own = key.private_numbers()
    numbers = {"n": own.public_numbers.n, "e": own.public_numbers.e, "d": own.d}
    numbers |= {"p": own.p, "q": own.q} if primes else {}
    return {"kty": "RSA", **{name: text_of(number) for name, number in (numbers | changed).items()}}


def of_ec(key: ec.EllipticCurvePrivateKey, curve: str = "P-256") -> dict[str, str]:
    own = key.private_numbers()
    point = {"x": own.public_numbers.x, "y": own.public_numbers.y, "d": own.private_value}
    return {"kty": "EC", "crv": curve, **{name: text_of(number) for name, number in point.items()}}


def pins(document: Any) -> list[str]:
    return [spki_pin(each.public_key()) for each in private_keys(json.dumps(document).encode())]


def test_keys_are_read_alone_and_in_a_set_whatever_stands_around_them(
    ecdsa_key: ec.EllipticCurvePrivateKey, rsa_key: rsa.RSAPrivateKey
) -> None:
    wanted = [spki_pin(rsa_key.public_key()), spki_pin(ecdsa_key.public_key())]
    both = {"keys": [of_rsa(rsa_key), of_ec(ecdsa_key)]}
    assert pins(both) == wanted
    around = b"here it is: " + json.dumps(both, indent=2).encode() + b"\n-----BEGIN CERTIFICATE REQUEST-----"
    for data in (around, around.decode().encode("utf-16")):
        assert [spki_pin(each.public_key()) for each in private_keys(data)] == wanted


def test_nobody_names_the_key_of_somebody_else(
    ecdsa_key: ec.EllipticCurvePrivateKey, rsa_key: rsa.RSAPrivateKey
) -> None:
    other = rsa.generate_private_key(65537, 2048)
    theirs = rsa_key.public_key().public_numbers().n
    assert pins(of_rsa(other, n=theirs)) == []
    own = ec.generate_private_key(ec.SECP256R1())
    # Under the point of somebody else, it is the sender's own key that is named.
    assert pins(of_ec(ecdsa_key) | {"d": of_ec(own)["d"]}) == [spki_pin(own.public_key())]


@pytest.mark.parametrize(
    "document",
    [
        {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
        {"kty": "EC", "crv": "P-256", "d": ""},
        {"kty": "EC", "crv": "secp256k1", "d": "AQAB"},
        {"kty": "RSA", "n": 5, "e": [], "d": None},
        {"kty": "RSA", "n": "AQAB", "e": "AQAB", "d": "!"},
        {"kty": ["RSA"], "d": "AQAB"},
        [],
    ],
)
def test_what_is_no_whole_private_key_is_none(document: Any) -> None:
    assert pins(document) == []


def test_a_key_that_is_too_large_or_without_its_primes_is_left_out(rsa_key: rsa.RSAPrivateKey) -> None:
    assert pins(of_rsa(rsa.generate_private_key(65537, 4104))) == []
    assert pins(of_rsa(rsa_key, primes=False)) == []


def test_of_many_keys_the_first_are_looked_at() -> None:
    made = [ec.generate_private_key(ec.SECP256R1()) for _ in range(KEYS_MOST + 1)]
    assert pins([of_ec(each) for each in made]) == [spki_pin(each.public_key()) for each in made[:KEYS_MOST]]
