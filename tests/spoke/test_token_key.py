"""A spoke's key in a real token (SoftHSM2): made there, used from there, and found again by OpenSSL."""

import copy
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bothways.contract.document import KeyType
from bothways.errors import Unusable
from bothways.pki.statement import public_pem
from bothways.signer.token_uri import EXAMPLE, TokenUri, parse_token_uri
from bothways.spoke.passphrase import FILE
from bothways.spoke.provider import openssl_conf
from bothways.spoke.token_key import (
    is_in_token,
    is_reference,
    key_in_token,
    made_in_token,
    next_in_token,
    reference,
    referenced,
    token_key,
)

PATH = Path("tls.key")


@pytest.fixture
def uri(token_uri: str) -> TokenUri:
    return parse_token_uri(token_uri)


def test_a_reference_leads_back_to_its_uri_and_holds_the_public_key_and_no_pin() -> None:
    uri = replace(parse_token_uri(EXAMPLE), pin_source=None)
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    pem = reference(uri, public)
    assert is_reference(pem)
    assert referenced(pem, PATH) == uri
    # Neither token nor PIN is needed to look at it.
    assert token_key(pem, PATH).public_key() == public
    assert not is_reference(public_pem(public).encode())


@pytest.mark.usefixtures("pkcs11_provider")
@pytest.mark.parametrize("kind", KeyType)
def test_openssl_finds_the_key_of_a_reference_in_the_token(uri: TokenUri, kind: KeyType, tmp_path: Path) -> None:
    key = made_in_token(uri, kind)
    (tmp_path / "tls.key").write_bytes(reference(uri, key.public_key()))
    (tmp_path / "openssl.cnf").write_text(openssl_conf(uri))
    signed = subprocess.run(
        ["openssl", "dgst", "-sha256", "-sign", str(tmp_path / "tls.key")],
        input=b"text",
        env=os.environ | {"OPENSSL_CONF": str(tmp_path / "openssl.cnf")},
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert signed.returncode == 0, signed.stderr
    public = key.public_key()
    if isinstance(public, ec.EllipticCurvePublicKey):
        public.verify(signed.stdout, b"text", ec.ECDSA(SHA256()))
    else:
        public.verify(signed.stdout, b"text", padding.PKCS1v15(), SHA256())


def test_a_reference_that_another_tool_wrote_gets_the_public_key_from_the_token(uri: TokenUri) -> None:
    key = made_in_token(uri, KeyType.ECDSA)
    foreign = reference(uri, key.public_key()).partition(b"-----BEGIN PUBLIC KEY-----")[0]
    assert token_key(foreign, PATH).public_key() == key.public_key()
    assert key_in_token(uri).public_key() == key.public_key()


def test_the_key_that_follows_has_the_first_number_that_is_free(uri: TokenUri) -> None:
    assert not is_in_token(uri)
    made_in_token(uri, KeyType.ECDSA)
    assert is_in_token(uri)
    second = next_in_token(uri)
    assert second.object == "issuing-ca-2"
    made_in_token(second, KeyType.ECDSA)
    assert next_in_token(uri).object == next_in_token(second).object == "issuing-ca-3"
    with pytest.raises(Unusable, match="is longer than 48 characters"):
        next_in_token(replace(uri, object="x" * 48))


def test_the_key_signs_as_agreed_and_does_nothing_else(uri: TokenUri) -> None:
    key = made_in_token(uri, KeyType.ECDSA)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    key.public_key().verify(key.sign(b"text", ec.ECDSA(SHA256())), b"text", ec.ECDSA(SHA256()))
    with pytest.raises(ValueError, match="signs with SHA-256 alone"):
        key.sign(b"text", ec.ECDSA(SHA1()))  # noqa: S303 - what is refused
    with pytest.raises(Unusable, match="never leaves it"):
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(Unusable, match="never leaves it"):
        key.private_numbers()
    assert copy.copy(key) is copy.deepcopy(key) is key
    assert (key.key_size, key.curve.name) == (256, "secp256r1")


def test_a_pin_that_the_uri_does_not_place_is_found_as_a_passphrase(
    uri: TokenUri, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_in_token(uri, KeyType.ECDSA)
    without = replace(uri, pin_source=None)
    monkeypatch.delenv(FILE, raising=False)
    with pytest.raises(Unusable, match=f"nobody is there to ask for its PIN.*{FILE}=PATH"):
        key_in_token(without)
    monkeypatch.setenv(FILE, str(uri.pin_source))
    assert key_in_token(without).public_key() == key_in_token(uri).public_key()


def test_what_is_no_reference_inside_is_said() -> None:
    damaged = b"-----BEGIN PKCS#11 PROVIDER URI-----\nAAAA\n-----END PKCS#11 PROVIDER URI-----\n"
    for pem in (damaged, damaged.replace(b"AAAA", b""), damaged[:40], damaged + damaged):
        with pytest.raises(Unusable, match=r"tls.key is a reference .* cannot be read"):
            referenced(pem, PATH)


def test_without_the_binding_one_is_told_which_extra_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bothways.signer.token", None)
    with pytest.raises(Unusable, match=r"pip install 'bothways\[pkcs11\]'"):
        is_in_token(parse_token_uri(EXAMPLE))
