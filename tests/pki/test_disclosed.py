from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from bothways.pki.disclosed import has_private_key, is_private_key, spoiled_pins
from bothways.pki.keys import spki_pin


def test_a_real_pkcs_12_store_counts_as_a_private_key(ecdsa_key: ec.EllipticCurvePrivateKey) -> None:
    store = pkcs12.serialize_key_and_certificates(b"tls", ecdsa_key, None, None, BestAvailableEncryption(b"secret"))
    assert is_private_key(store)


def test_what_openssl_prints_of_a_private_key_counts_as_one(openssl: Callable[..., bytes]) -> None:
    for algorithm in ("EC -pkeyopt ec_paramgen_curve:P-256", "RSA -pkeyopt rsa_keygen_bits:1024", "RSA-PSS"):
        text = openssl("genpkey", "-algorithm", *algorithm.split(), "-text")
        assert has_private_key(text[text.index(b"-----END") + 25 :])


@pytest.mark.parametrize(
    "text",
    [
        b"Keep your PRIVATE KEY secret, and send the request alone.\n",
        b"Public-Key: (2048 bit)\n",
        b'{"kty": "RSA", "n": "AQAB", "e": "AQAB"}',
        b"<RSAKeyValue><Modulus>AQAB</Modulus></RSAKeyValue>",
        b"-----BEGIN PUBLIC KEY-----",
        b"",
        b"0",
        bytes.fromhex("3003020103"),
    ],
)
def test_what_only_speaks_of_keys_is_none(text: bytes) -> None:
    assert not has_private_key(text)


def test_a_request_is_no_private_key(make_csr: Callable[..., bytes], strange_csr: Callable[..., bytes]) -> None:
    assert not has_private_key(make_csr())
    assert not has_private_key(strange_csr())


def test_the_keys_that_were_disclosed_are_named_by_their_pins(
    ecdsa_key: ec.EllipticCurvePrivateKey, rsa_key: rsa.RSAPrivateKey, make_csr: Callable[..., bytes]
) -> None:
    one = ecdsa_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    two = rsa_key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    pins = {spki_pin(ecdsa_key.public_key()), spki_pin(rsa_key.public_key())}
    assert spoiled_pins(one + make_csr() + two) == pins
    assert spoiled_pins((one + two).decode().encode("utf-16")) == pins
    raw = ecdsa_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    assert spoiled_pins(raw) == {spki_pin(ecdsa_key.public_key())}


def test_what_is_sealed_or_none_spoils_nothing(ecdsa_key: ec.EllipticCurvePrivateKey) -> None:
    sealed = ecdsa_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    assert spoiled_pins(sealed) == spoiled_pins(b"") == spoiled_pins(sealed[:80]) == frozenset()
