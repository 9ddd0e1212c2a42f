"""The keys of a hub: in files, but for the issuing CA's where the hub has a token."""

from datetime import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from bothways.contract.document import KeyType
from bothways.errors import Conflict, Unusable
from bothways.pki import issue, profile
from bothways.pki.statement import make_statement, require_signed
from bothways.signer.keys import Keys


def ca_of(keys: Keys, name: str, now: datetime) -> x509.Certificate:
    wanted = profile.authority("CA", "hub.example", keys.signer(name).public_key, now)
    unsigned = issue.self_signed(wanted, 1)
    return issue.assemble(unsigned, keys.sign(name, unsigned))


@pytest.mark.parametrize(
    ("kind", "public"), [(KeyType.ECDSA, ec.EllipticCurvePublicKey), (KeyType.RSA, rsa.RSAPublicKey)]
)
def test_without_a_token_the_issuing_key_is_a_file(tmp_path: Path, now: datetime, kind: KeyType, public: type) -> None:
    keys = Keys(tmp_path, b"passphrase")
    provided = keys.provide_issuing_key("issuing-ca-1", kind)
    assert (provided.name, provided.existed) == ("issuing-ca-1", False)
    assert isinstance(provided.public_key, public)
    assert [each.name for each in tmp_path.iterdir()] == ["issuing-ca-1.key"]
    certificate = ca_of(keys, provided.name, now)
    certificate.verify_directly_issued_by(certificate)
    with pytest.raises(Conflict):
        keys.provide_issuing_key("issuing-ca-1", kind)


def test_with_a_token_the_issuing_key_is_made_there_once(tmp_path: Path, token_uri: str, now: datetime) -> None:
    (tmp_path / "keys").mkdir()
    keys = Keys(tmp_path / "keys", b"passphrase", token_uri)
    made = keys.provide_issuing_key("issuing-ca-1", KeyType.ECDSA)
    assert (made.name, made.existed) == ("pkcs11:object=issuing-ca", False)
    again = keys.provide_issuing_key("issuing-ca-1", KeyType.ECDSA)
    assert (again.name, again.existed, again.public_key) == (made.name, True, made.public_key)
    assert list((tmp_path / "keys").iterdir()) == []
    certificate = ca_of(keys, made.name, now)
    certificate.verify_directly_issued_by(certificate)
    keys.close()


def test_other_keys_are_files_beside_a_token(tmp_path: Path, token_uri: str) -> None:
    (tmp_path / "keys").mkdir()
    keys = Keys(tmp_path / "keys", b"passphrase", token_uri)
    keys.generate("server-1")
    assert "BEGIN PRIVATE KEY" in keys.private_pem("server-1")
    assert [each.name for each in (tmp_path / "keys").iterdir()] == ["server-1.key"]
    with pytest.raises(ValueError, match="is no name of a key"):
        keys.private_pem("pkcs11:object=issuing-ca")


def test_a_key_in_a_token_that_the_settings_do_not_name_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match=r"lies in a PKCS#11 token, and hub\.toml does not say in which"):
        Keys(tmp_path, b"passphrase").signer("pkcs11:object=issuing-ca")


def test_a_bad_uri_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="has no token"):
        Keys(tmp_path, b"passphrase", "pkcs11:object=x?module-path=/x&pin-source=/x")


def test_a_key_is_opened_once(tmp_path: Path) -> None:
    keys = Keys(tmp_path, b"passphrase")
    keys.generate("ca")
    first = keys.signer("ca")
    (tmp_path / "ca.key").unlink()
    assert keys.signer("ca") is first


def test_a_ca_gets_no_key_but_its_own(tmp_path: Path, now: datetime) -> None:
    keys = Keys(tmp_path, b"passphrase")
    keys.generate("one")
    keys.generate("other")
    one, other = ca_of(keys, "one", now), ca_of(keys, "other", now)
    assert keys.signer_of(one, "one") is keys.signer("one")
    for certificate, name in ((other, "one"), (one, "other")):
        with pytest.raises(Unusable, match=f"the key {name} does not belong to the CA"):
            keys.signer_of(certificate, name)


def test_a_statement_is_signed_by_a_key_in_a_file(tmp_path: Path) -> None:
    keys = Keys(tmp_path, b"passphrase")
    public = keys.generate("statement-audit")
    statement = make_statement("audit-head", {"lines": 1})
    require_signed(statement.content, keys.state("statement-audit", statement), public)
