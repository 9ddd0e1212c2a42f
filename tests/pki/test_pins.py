from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from bothways.pki.keys import spki_pin
from bothways.pki.pins import named_keys

NAMES: dict[str, Callable[[Any, Any, Encoding], bytes]] = {
    "certificate": lambda key, make_ca, encoding: make_ca("Root", key=key)[1].public_bytes(encoding),
    "public key": lambda key, _, encoding: key.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo),
    "private key": lambda key, _, encoding: key.private_bytes(encoding, PrivateFormat.PKCS8, NoEncryption()),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
def test_a_key_is_named_by_whatever_holds_it(
    ecdsa_key: ec.EllipticCurvePrivateKey, make_ca: Callable[..., Any], name: str, encoding: Encoding
) -> None:
    assert named_keys(NAMES[name](ecdsa_key, make_ca, encoding)) == {spki_pin(ecdsa_key.public_key())}


def test_one_file_can_name_several(ecdsa_key: ec.EllipticCurvePrivateKey, make_csr: Callable[..., bytes]) -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    assert named_keys(make_csr(ecdsa_key) + b"and:\n" + make_csr(other)) == {
        spki_pin(each.public_key()) for each in (ecdsa_key, other)
    }
    pins = ["0a" * 32, "0b" * 32]
    assert named_keys("\r\n".join(pins).upper().encode()) == set(pins)


@pytest.mark.parametrize("data", [b"", b"0a" * 31, b"0a" * 33, b"-----BEGIN PUBLIC KEY-----", b"the key of First Bank"])
def test_what_names_no_key_is_empty(data: bytes) -> None:
    assert named_keys(data) == frozenset()
