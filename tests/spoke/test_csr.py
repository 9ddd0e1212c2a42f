import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bothways import files
from bothways.contract.document import KeyType, RequestTerms, Terms
from bothways.contract.recipe import openssl_recipe
from bothways.contract.subject import Subject
from bothways.errors import Conflict, Refused, Unusable
from bothways.operations.hub import Hub
from bothways.operations.requests import show_request, submit_request
from bothways.pki.keys import spki_pin
from bothways.signer.token_uri import parse_token_uri
from bothways.spoke.csr import make_request, take_request
from bothways.spoke.directory import Spoke
from bothways.spoke.export import kubernetes_secret, pkcs12_file
from bothways.spoke.install import install_certificate
from bothways.spoke.pair import read_key
from bothways.spoke.status import spoke_status
from bothways.spoke.token_key import is_in_token, key_in_token, made_in_token, reference, token_key


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


def made_elsewhere(subject: Subject, directory: Path, terms: Terms, tsp_id: str) -> Path:
    """Make key and request by the OpenSSL commands that the hub prints, in another directory."""
    commands = openssl_recipe(terms, tsp_id, KeyType.ECDSA, subject, place=str(directory))
    subprocess.run(["sh", "-e", "-c", commands], check=True, capture_output=True, timeout=60)
    return directory / "tls.csr"


def test_a_request_made_elsewhere_is_taken_and_installed_with_its_key(
    spoke: Spoke, subject: Subject, renewed: Callable[[Spoke], bytes], tmp_path: Path
) -> None:
    path = made_elsewhere(subject, tmp_path / "elsewhere", spoke.contract.terms, spoke.tsp_id)
    request = take_request(spoke, path.read_bytes(), "theirs.csr")
    assert spoke.request_file.read_text() == request.pem
    assert not spoke.key_file.exists()
    with pytest.raises(Conflict, match="under way"):
        take_request(spoke, path.read_bytes(), "theirs.csr")
    issued = renewed(spoke)
    with pytest.raises(Unusable, match="--key-file"):
        install_certificate(spoke, issued)
    assert install_certificate(spoke, issued, key_file=path.with_name("tls.key")).changed
    assert not spoke.request_file.exists()
    renewal = made_elsewhere(subject, tmp_path / "later", spoke.contract.terms, spoke.tsp_id)
    take_request(spoke, renewal.read_bytes(), "theirs.csr")
    assert install_certificate(spoke, renewed(spoke), key_file=renewal.with_name("tls.key")).changed
    assert not spoke.renewal.exists()


def test_its_key_may_come_with_it_and_must_be_its_own(spoke: Spoke, subject: Subject, tmp_path: Path) -> None:
    first, second = (
        made_elsewhere(subject, tmp_path / name, spoke.contract.terms, spoke.tsp_id) for name in ("first", "second")
    )
    with pytest.raises(Conflict, match="not for the key"):
        take_request(spoke, first.read_bytes(), "theirs.csr", second.with_name("tls.key"))
    assert not spoke.request_file.exists()
    take_request(spoke, first.read_bytes(), "theirs.csr", first.with_name("tls.key"))
    assert spoke.key_file.read_bytes() == first.with_name("tls.key").read_bytes()
    assert spoke.key_file.stat().st_mode & 0o777 == 0o600


def test_a_request_made_elsewhere_goes_through_the_hubs_own_rules(
    spoke: Spoke, subject: Subject, tmp_path: Path
) -> None:
    path = made_elsewhere(subject, tmp_path / "elsewhere", spoke.contract.terms, "87654321")
    with pytest.raises(Refused) as refused:
        take_request(spoke, path.read_bytes(), "theirs.csr")
    assert [each.id for each in refused.value.findings] == ["CSR-CN-01"]
    with pytest.raises(Refused) as refused:
        take_request(spoke, path.read_bytes()[:200], "theirs.csr")
    assert refused.value.findings
    assert not spoke.request_file.exists()


def test_a_key_is_made_in_a_token_and_one_that_is_there_is_used(
    hub: Hub, spoke: Spoke, subject: Subject, token_uri: str
) -> None:
    uri = parse_token_uri(token_uri)
    made = make_request(spoke, KeyType.ECDSA, subject, token=uri)
    assert made.spki_pin == spki_pin(key_in_token(uri).public_key())
    assert show_request(hub, submit_request(hub, spoke.tsp_id, made.der).id)[1] == ()
    assert spoke.key_file.stat().st_mode & 0o777 == 0o600
    assert b"PRIVATE KEY" not in spoke.key_file.read_bytes()
    assert uri.pin_source is not None
    assert uri.pin_source.read_bytes().strip() not in spoke.key_file.read_bytes()
    # As after a kill between token and file: the same again goes on with the key.
    spoke.request_file.unlink()
    spoke.key_file.unlink()
    # What the key is, it says itself.
    assert make_request(spoke, KeyType.RSA, subject, token=uri).spki_pin == made.spki_pin


def test_a_request_that_the_rules_refuse_makes_no_key_in_a_token(
    spoke: Spoke, subject: Subject, token_uri: str
) -> None:
    uri = parse_token_uri(token_uri)
    with pytest.raises(Refused):
        make_request(spoke, KeyType.ECDSA, replace(subject, country="France"), token=uri)
    assert not is_in_token(uri)


def test_the_next_key_lies_in_the_same_token_or_is_named(
    spoke: Spoke, subject: Subject, token_uri: str, renewed: Callable[[Spoke], bytes]
) -> None:
    uri = parse_token_uri(token_uri)
    make_request(spoke, KeyType.ECDSA, subject, token=uri)
    install_certificate(spoke, renewed(spoke))
    second = make_request(spoke, KeyType.ECDSA, subject)
    held = read_key(spoke.renewal / "tls.key").token
    assert held == replace(uri, object="issuing-ca-2")
    assert second.spki_pin == spki_pin(key_in_token(held).public_key())
    # Where people make the keys of an HSM, they name the next one.
    shutil.rmtree(spoke.renewal)
    named = replace(uri, object="of-the-ceremony")
    made_in_token(named, KeyType.ECDSA)
    make_request(spoke, KeyType.ECDSA, subject, token=named)
    assert read_key(spoke.renewal / "tls.key").token == named
    install_certificate(spoke, renewed(spoke))
    assert read_key(spoke.key_file).token == named
    with pytest.raises(Conflict, match=r"object=of-the-ceremony.* is the key in use"):
        make_request(spoke, KeyType.ECDSA, subject, token=named)
    with pytest.raises(Conflict, match="is the key in use"):
        make_request(spoke, KeyType.ECDSA, subject, key_file=spoke.key_file)


def test_a_certificate_is_installed_only_for_the_key_that_the_token_has_now(
    spoke: Spoke, subject: Subject, token_uri: str, renewed: Callable[[Spoke], bytes]
) -> None:
    make_request(spoke, KeyType.ECDSA, subject, token=parse_token_uri(token_uri))
    certificate = renewed(spoke)
    pem = spoke.key_file.read_bytes()
    # Another token under the same label would be the same: here the file leads to a key of another label.
    other = replace(parse_token_uri(token_uri), object="another")
    made_in_token(other, KeyType.ECDSA)
    spoke.key_file.write_bytes(reference(other, token_key(pem, spoke.key_file).public_key()))
    with pytest.raises(Unusable, match="has another key as another now"):
        install_certificate(spoke, certificate)
    spoke.key_file.write_bytes(pem)
    assert install_certificate(spoke, certificate).changed
    for export in (lambda: pkcs12_file(spoke, "password"), lambda: kubernetes_secret(spoke, "tls")):
        with pytest.raises(Unusable, match="never leaves it, so there is nothing to export"):
            export()
    status = spoke_status(spoke, datetime.now(UTC))
    assert status.key
    assert "issuing-ca in the token hub-" in status.key
    assert not status.broken
