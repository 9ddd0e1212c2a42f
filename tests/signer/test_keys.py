"""The keys of a hub: stored sealed, but for the issuing CA's where the hub has a token."""

from datetime import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from tests.signer.conftest import Stored

from bothways.contract.document import KeyType
from bothways.errors import Unusable
from bothways.pki import issue, profile
from bothways.pki.statement import make_statement, require_signed
from bothways.registry.sealed_key import SealedKey
from bothways.signer.keys import Keys
from bothways.signer.private_key import open_key, seal_key


def ca_of(keys: Keys, name: str, now: datetime) -> x509.Certificate:
    wanted = profile.authority("CA", "hub.example", keys.signer(name).public_key, now)
    unsigned = issue.self_signed(wanted, 1)
    return issue.assemble(unsigned, keys.sign(name, unsigned))


def resealed(key: SealedKey, before: bytes, passphrase: bytes) -> SealedKey:
    return SealedKey(seal_key(open_key(key.pem, before, "key"), passphrase), key.passphrase + 1)


@pytest.mark.parametrize(
    ("kind", "public"), [(KeyType.ECDSA, ec.EllipticCurvePublicKey), (KeyType.RSA, rsa.RSAPublicKey)]
)
def test_without_a_token_the_issuing_key_is_to_be_stored(
    stored: Stored, now: datetime, kind: KeyType, public: type
) -> None:
    keys = stored.opened(version=7)
    provided = stored.put(keys.provide_issuing_key("issuing-ca-1", kind))
    assert (provided.name, provided.existed) == ("issuing-ca-1", False)
    assert isinstance(provided.public_key, public)
    assert stored.keys["issuing-ca-1"].passphrase == 7
    # Before it is stored as well as after.
    for each in (keys, stored.opened()):
        certificate = ca_of(each, provided.name, now)
        certificate.verify_directly_issued_by(certificate)
        assert certificate.public_key() == provided.public_key


def test_with_a_token_the_issuing_key_is_made_there_once(stored: Stored, token_uri: str, now: datetime) -> None:
    keys = stored.opened(token_uri)
    made = keys.provide_issuing_key("issuing-ca-1", KeyType.ECDSA)
    assert (made.name, made.existed, made.stored) == ("pkcs11:object=issuing-ca", False, None)
    again = keys.provide_issuing_key("issuing-ca-1", KeyType.ECDSA)
    assert (again.name, again.existed, again.public_key) == (made.name, True, made.public_key)
    certificate = ca_of(keys, made.name, now)
    certificate.verify_directly_issued_by(certificate)
    keys.close()


def test_other_keys_are_stored_beside_a_token(stored: Stored, token_uri: str) -> None:
    keys = stored.opened(token_uri)
    stored.put(keys.generate("server-1"))
    assert "BEGIN PRIVATE KEY" in keys.private_pem("server-1")
    assert [*stored.keys] == ["server-1"]
    with pytest.raises(Unusable, match="the private key pkcs11:object=issuing-ca is not in the database"):
        keys.private_pem("pkcs11:object=issuing-ca")


def test_a_key_in_a_token_that_the_settings_do_not_name_is_told(stored: Stored) -> None:
    with pytest.raises(Unusable, match=r"lies in a PKCS#11 token, and hub\.toml does not say in which"):
        stored.opened().signer("pkcs11:object=issuing-ca")


def test_a_bad_uri_is_told_at_once(stored: Stored) -> None:
    with pytest.raises(Unusable, match="has no token"):
        stored.opened("pkcs11:object=x?module-path=/x&pin-source=/x")


def test_a_key_is_opened_once_and_one_that_is_not_there_is_named(stored: Stored) -> None:
    stored.made("ca")
    keys = stored.opened()
    first = keys.signer("ca")
    stored.keys.clear()
    assert keys.signer("ca") is first
    with pytest.raises(Unusable, match="the private key other is not in the database"):
        keys.signer("other")
    with pytest.raises(Unusable, match="the private key ca is not in the database"):
        keys.prove("ca")


def test_a_ca_gets_no_key_but_its_own(stored: Stored, now: datetime) -> None:
    stored.made("one")
    stored.made("other")
    keys = stored.opened()
    one, other = ca_of(keys, "one", now), ca_of(keys, "other", now)
    assert keys.signer_of(one, "one") is keys.signer("one")
    for certificate, name in ((other, "one"), (one, "other")):
        with pytest.raises(Unusable, match=f"the key {name} does not belong to the CA"):
            keys.signer_of(certificate, name)


def test_a_statement_is_signed_by_a_key_of_its_own(stored: Stored) -> None:
    public = stored.made("statement-audit").public_key
    statement = make_statement("audit-head", {"lines": 1})
    require_signed(statement.content, stored.opened().state("statement-audit", statement), public)


def test_a_passphrase_that_was_changed_is_read_anew_and_seals_what_is_made_next(stored: Stored) -> None:
    stored.made("ca")
    keys = stored.opened()
    secret = keys.seal(b"secret", "codes of 1")
    assert keys.unseal(secret, "codes of 1") == b"secret"
    stored.keys["ca"] = resealed(stored.keys["ca"], b"passphrase", b"another")
    with pytest.raises(Unusable, match="the passphrase does not open the private key ca"):
        keys.prove("ca")
    assert keys.version == 1
    stored.passphrase = b"another"
    keys.prove("ca")
    assert keys.version == 2
    made = keys.generate("next")
    assert made.stored
    assert made.stored.passphrase == 2
    assert open_key(made.stored.pem, b"another", "next").public_key == made.public_key
    with pytest.raises(Unusable):
        keys.unseal(secret, "codes of 1")


def test_the_passphrase_is_not_in_what_is_printed(stored: Stored) -> None:
    made = stored.made("ca")
    assert "passphrase" not in repr(stored.opened())
    assert "PRIVATE" not in repr(made)
