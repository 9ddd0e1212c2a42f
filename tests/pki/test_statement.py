import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.programs import require

from bothways.pki.statement import (
    make_statement,
    public_pem,
    read_public_pem,
    read_statement,
    require_signed,
    sign_statement,
)


def test_what_was_stated_is_read_back() -> None:
    statement = make_statement("audit-head", {"lines": 3, "hub": "hub.example"})
    assert read_statement(statement.content, "audit-head") == {"lines": 3, "hub": "hub.example"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"type": "bothways-bundle", "format": 1}', "its type is 'bothways-bundle', wanted 'bothways-audit-head'"),
        (b'{"type": "bothways-audit-head", "format": 2}', "its format is 2, wanted 1"),
        (b"[]", "it is no JSON object"),
        (b"\xff", "utf-8"),
        (b'{"type": 1, "type": 2}', "it has one name twice"),
        (b"[" * 100_000, "nested too deep"),
    ],
)
def test_another_statement_is_not_taken_for_it(content: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_statement(content, "audit-head")


@pytest.mark.parametrize("kind", ["ecdsa_key", "rsa_key"])
def test_a_signature_holds_for_its_bytes_and_its_key(kind: str, request: pytest.FixtureRequest) -> None:
    key: Any = request.getfixturevalue(kind)
    statement = make_statement("audit-head", {})
    signature = sign_statement(key, statement)
    require_signed(statement.content, signature, key.public_key())
    for content, other in (
        (statement.content + b" ", key),
        (statement.content, ec.generate_private_key(ec.SECP256R1())),
    ):
        with pytest.raises(ValueError, match="not of that key over these bytes"):
            require_signed(content, signature, other.public_key())


def test_a_key_that_r7_does_not_allow_signs_nothing() -> None:
    small = rsa.generate_private_key(65537, 2048)
    statement = make_statement("audit-head", {})
    with pytest.raises(ValueError, match="RSA with 2048 bits"):
        require_signed(statement.content, sign_statement(small, statement), small.public_key())


def test_a_public_key_goes_through_pem(ecdsa_key: ec.EllipticCurvePrivateKey) -> None:
    assert read_public_pem(public_pem(ecdsa_key.public_key()).encode()) == ecdsa_key.public_key()
    other = ed25519.Ed25519PrivateKey.generate().public_key()
    with pytest.raises(ValueError, match="neither RSA nor ECDSA"):
        read_public_pem(other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def test_openssl_verifies_it(ecdsa_key: ec.EllipticCurvePrivateKey, tmp_path: Path) -> None:
    require("openssl")
    statement = make_statement("bundle", {"files": {}})
    (tmp_path / "manifest.json").write_bytes(statement.content)
    (tmp_path / "manifest.sig").write_bytes(sign_statement(ecdsa_key, statement))
    (tmp_path / "signer.pem").write_text(public_pem(ecdsa_key.public_key()))
    command = ["openssl", "dgst", "-sha256", "-verify", "signer.pem", "-signature", "manifest.sig", "manifest.json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "Verified OK\n"
