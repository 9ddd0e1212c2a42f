import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bothways import files
from bothways.contract.document import KeyType, RequestTerms
from bothways.contract.subject import Subject
from bothways.errors import Conflict, Refused, Unusable
from bothways.operations.hub import Hub
from bothways.operations.requests import show_request, submit_request
from bothways.spoke.csr import make_request
from bothways.spoke.directory import Spoke


@contextmanager
def umask(mode: int) -> Iterator[None]:
    before = os.umask(mode)
    try:
        yield
    finally:
        os.umask(before)


def listing(spoke: Spoke) -> set[str]:
    return {path.name for path in spoke.directory.iterdir()}


@pytest.mark.parametrize("key_type", KeyType)
def test_the_hub_finds_nothing_in_what_the_spoke_made(
    hub: Hub, spoke: Spoke, subject: Subject, key_type: KeyType
) -> None:
    made = make_request(spoke, key_type, subject)
    stored = submit_request(hub, spoke.tsp_id, spoke.request_file.read_bytes())
    assert show_request(hub, stored.id)[1] == ()
    assert stored.request.fingerprint == made.fingerprint


@pytest.mark.parametrize("key_type", KeyType)
def test_openssl_verifies_the_request_and_reads_the_same_subject(
    spoke: Spoke, subject: Subject, key_type: KeyType
) -> None:
    make_request(spoke, key_type, subject)
    seen = subprocess.run(
        ["openssl", "req", "-in", str(spoke.request_file), "-noout", "-verify", "-subject", "-nameopt", "RFC2253"],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    marker = key_type.marker
    wanted = f"CN=TLSMA-{marker}/12345678/PPR,OU=Payments,O=First Bank,L=Paris,ST=Ile-de-France,C=FR"
    assert wanted in seen.stdout
    assert "verify ok" in (seen.stdout + seen.stderr).lower()


def test_the_key_is_private_even_if_the_umask_allows_everything(spoke: Spoke, subject: Subject) -> None:
    with umask(0o000):
        make_request(spoke, KeyType.ECDSA, subject)
    assert spoke.key_file.stat().st_mode & 0o777 == 0o600
    assert spoke.request_file.stat().st_mode & 0o777 == 0o644


def test_a_request_that_is_there_is_never_overwritten(spoke: Spoke, subject: Subject) -> None:
    make_request(spoke, KeyType.ECDSA, subject)
    before = spoke.key_file.read_bytes(), spoke.request_file.read_bytes()
    with pytest.raises(Conflict, match="exists already"):
        make_request(spoke, KeyType.ECDSA, subject)
    assert (spoke.key_file.read_bytes(), spoke.request_file.read_bytes()) == before


def test_a_key_without_a_request_is_used(spoke: Spoke, subject: Subject) -> None:
    first = make_request(spoke, KeyType.ECDSA, subject)
    key = spoke.key_file.read_bytes()
    spoke.request_file.unlink()
    assert make_request(spoke, KeyType.ECDSA, subject).spki_pin == first.spki_pin
    assert spoke.key_file.read_bytes() == key


def test_a_key_of_the_other_type_is_not_replaced(spoke: Spoke, subject: Subject) -> None:
    make_request(spoke, KeyType.ECDSA, subject)
    key = spoke.key_file.read_bytes()
    spoke.request_file.unlink()
    with pytest.raises(Conflict, match="is not an RSA key"):
        make_request(spoke, KeyType.RSA, subject)
    assert spoke.key_file.read_bytes() == key
    assert not spoke.request_file.exists()


def test_a_bad_subject_is_refused_with_all_findings_and_nothing_is_written(spoke: Spoke) -> None:
    before = listing(spoke)
    with pytest.raises(Refused) as refused:
        make_request(spoke, KeyType.ECDSA, Subject("fr", "", " Paris", "O" * 65, "Pay\nments"))
    assert [finding.message.split()[0] for finding in refused.value.findings] == ["C", "ST", "L", "O", "OU"]
    assert listing(spoke) == before


def test_a_key_type_that_the_contract_does_not_allow_is_refused_and_nothing_is_written(
    spoke: Spoke, subject: Subject
) -> None:
    before = listing(spoke)
    terms = replace(spoke.contract.terms, request=RequestTerms(keys=(KeyType.RSA,)))
    with pytest.raises(Refused) as refused:
        make_request(replace(spoke, contract=replace(spoke.contract, terms=terms)), KeyType.ECDSA, subject)
    assert [finding.id for finding in refused.value.findings] == ["CSR-KEY-01"]
    assert listing(spoke) == before


def test_a_common_name_that_would_be_too_long_is_refused(spoke: Spoke, subject: Subject) -> None:
    pattern = "A" * 50 + "-{algorithm}/{tspId}/{environment}"
    terms = replace(spoke.contract.terms, request=RequestTerms(common_name=pattern))
    with pytest.raises(Refused, match="CN has 69 characters, at most 64 are allowed"):
        make_request(replace(spoke, contract=replace(spoke.contract, terms=terms)), KeyType.ECDSA, subject)


def test_a_key_that_was_made_elsewhere_is_copied_and_says_its_kind(
    spoke: Spoke, subject: Subject, rsa_key: rsa.RSAPrivateKey, tmp_path: Path
) -> None:
    pem = rsa_key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    files.write_new(tmp_path / "old.key", pem, files.PRIVATE)
    request = make_request(spoke, KeyType.ECDSA, subject, key_file=tmp_path / "old.key")
    assert request.public_key == rsa_key.public_key()
    assert "TLSMA-RSA/" in request.subject.rfc4514_string()
    assert spoke.key_file.read_bytes() == pem
    assert spoke.key_file.stat().st_mode & 0o777 == 0o600


def test_a_key_that_the_hub_would_refuse_is_not_brought_in(spoke: Spoke, subject: Subject, tmp_path: Path) -> None:
    weak = rsa.generate_private_key(65537, 2048)
    pem = weak.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    files.write_new(tmp_path / "weak.key", pem, files.PRIVATE)
    with pytest.raises(Refused, match="CSR-KEY"):
        make_request(spoke, KeyType.RSA, subject, key_file=tmp_path / "weak.key")
    assert not spoke.key_file.exists()
    (tmp_path / "weak.key").chmod(0o644)
    with pytest.raises(Unusable, match="mode 0644"):
        make_request(spoke, KeyType.RSA, subject, key_file=tmp_path / "weak.key")
