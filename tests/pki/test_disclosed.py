import json
from collections.abc import Callable

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    pkcs12,
)
from tests.pki.test_jwk import of_ec
from tests.vectors import keys

from bothways.pki import der
from bothways.pki.disclosed import has_private_key, is_private_key, spoiled_pins
from bothways.pki.encoding import pem
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


def test_what_stands_in_a_request_by_chance_is_no_private_key(make_csr: Callable[..., bytes]) -> None:
    """Signatures are random: three bytes in a row are any three in one request of 250,000."""
    request = x509.load_pem_x509_csr(make_csr()).public_bytes(Encoding.DER)
    assert not has_private_key(request[:-40] + b"<D>" + request[-37:])


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


def test_a_json_web_key_is_named_too(ecdsa_key: ec.EllipticCurvePrivateKey) -> None:
    text = json.dumps(of_ec(ecdsa_key)).encode()
    assert has_private_key(text)
    assert spoiled_pins(text) == {spki_pin(ecdsa_key.public_key())}


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL, PrivateFormat.OpenSSH])
def test_each_form_is_read_whatever_stands_around_it(
    ecdsa_key: ec.EllipticCurvePrivateKey,
    rsa_key: rsa.RSAPrivateKey,
    make_csr: Callable[..., bytes],
    form: PrivateFormat,
) -> None:
    for key in (ecdsa_key, rsa_key):
        text = key.private_bytes(Encoding.PEM, form, NoEncryption())
        body = b"".join(text.splitlines(keepends=True)[1:-1])
        everywhere = (
            make_csr() + text.replace(b"\n", b"\r\n"),
            text.replace(b"\n", b"\\n"),
            b"Bag Attributes: none\n" + text,
            text.replace(b"-----", "\u2014\u2013".encode()),
            text.replace(b"PRIVATE KEY", b"CERTIFICATE REQUEST"),
            body,
        )
        # Where it is found does not depend on what it is, and to prove one of RSA takes its time.
        for changed in everywhere if key is ecdsa_key else everywhere[:1]:
            assert spoiled_pins(changed) == {spki_pin(key.public_key())}


def test_nobody_spoils_the_key_of_somebody_else(
    ecdsa_key: ec.EllipticCurvePrivateKey, rsa_key: rsa.RSAPrivateKey
) -> None:
    # The public numbers of somebody else, under private ones that are the sender's own.
    own, theirs = keys.rsa("good"), rsa_key.private_numbers().public_numbers.n
    p, q = own.primes
    private = (own.d, p, q, own.d % (p - 1), own.d % (q - 1), pow(q, -1, p))
    forged = der.sequence(*(der.integer(each) for each in (0, theirs, 65537, *private)))
    assert is_private_key(forged)
    assert spoiled_pins(forged) == spoiled_pins(pem("RSA PRIVATE KEY", forged).encode()) == frozenset()
    whole = der.sequence(*(der.integer(each) for each in (0, own.n, 65537, *private)))
    assert len(spoiled_pins(whole)) == 1
    own_key = ec.generate_private_key(ec.SECP256R1())
    mine, other = (
        each.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint) for each in (own_key, ecdsa_key)
    )
    forged = own_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()).replace(mine, other)
    assert spoiled_pins(forged) == frozenset()


def test_of_many_keys_in_one_file_the_first_eight_are_looked_at() -> None:
    made = [ec.generate_private_key(ec.SECP256R1()) for _ in range(9)]
    text = b"".join(each.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) for each in made)
    assert spoiled_pins(text) == {spki_pin(each.public_key()) for each in made[:8]}


def test_a_key_of_another_size_or_kind_spoils_nothing() -> None:
    large = rsa.generate_private_key(65537, 4104)
    other = ed25519.Ed25519PrivateKey.generate()
    for key in (large, other):
        assert spoiled_pins(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())) == frozenset()


def test_what_is_sealed_or_none_spoils_nothing(ecdsa_key: ec.EllipticCurvePrivateKey) -> None:
    sealed = ecdsa_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    assert spoiled_pins(sealed) == spoiled_pins(b"") == spoiled_pins(sealed[:80]) == frozenset()
