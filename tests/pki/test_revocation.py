"""Our CRLs are those of the library, octet for octet, and other programs take them."""

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as some
from tests.programs import require

from bothways.pki import issue
from bothways.pki.chain import certificate_pem
from bothways.pki.profile import BACKDATE, authority
from bothways.pki.revocation import (
    LIST_INTERVAL,
    LIST_MARGIN,
    LIST_VALIDITY,
    RevocationReason,
    Revoked,
    assemble_list,
    unsigned_list,
)

NOW = datetime.now(UTC).replace(microsecond=0)
KEY = ec.generate_private_key(ec.SECP256R1())


def ca_of(key: Any) -> x509.Certificate:
    unsigned = issue.self_signed(authority("Issuing CA", "Hub", key.public_key(), NOW), 1)
    return issue.assemble(unsigned, sign(key, unsigned.der))


def sign(key: Any, content: bytes) -> bytes:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return bytes(key.sign(content, ec.ECDSA(SHA256())))
    return bytes(key.sign(content, padding.PKCS1v15(), SHA256()))


CA = ca_of(KEY)


def made(number: int, *revoked: Revoked, key: Any = KEY, ca: x509.Certificate = CA) -> x509.CertificateRevocationList:
    unsigned = unsigned_list(ca, number, NOW, revoked)
    return assemble_list(ca, unsigned, sign(key, unsigned.der))


entries = some.builds(
    Revoked,
    some.integers(1, (1 << 159) - 1),
    some.datetimes(datetime(2000, 1, 1), datetime(2060, 1, 1)).map(lambda at: at.replace(microsecond=0, tzinfo=UTC)),  # noqa: DTZ001
    some.sampled_from(RevocationReason),
)


@settings(deadline=None)
@given(some.lists(entries, max_size=5, unique_by=lambda each: each.serial), some.integers(1, 1 << 62))
def test_the_bytes_are_those_of_the_library(revoked: list[Revoked], number: int) -> None:
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(CA.subject)
        .last_update(NOW - BACKDATE)
        .next_update(NOW + LIST_VALIDITY)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(KEY.public_key()), critical=False)
        .add_extension(x509.CRLNumber(number), critical=False)
    )
    for each in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(each.serial).revocation_date(each.at)
        if each.reason is not RevocationReason.UNSPECIFIED:
            entry = entry.add_extension(x509.CRLReason(x509.ReasonFlags(each.reason.value)), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    assert unsigned_list(CA, number, NOW, revoked).der == builder.sign(KEY, SHA256()).tbs_certlist_bytes


def test_it_names_number_dates_and_the_reason_of_each(rsa_key: Any) -> None:
    ca = ca_of(rsa_key)
    revoked = Revoked(0xABC, NOW, RevocationReason.KEY_COMPROMISE), Revoked(0xDEF, NOW, RevocationReason.UNSPECIFIED)
    found = made(7, *revoked, key=rsa_key, ca=ca)
    assert found.is_signature_valid(rsa_key.public_key())
    assert (found.last_update_utc, found.next_update_utc) == (NOW - timedelta(minutes=5), NOW + timedelta(days=30))
    assert found.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 7
    compromised, unspecified = found.get_revoked_certificate_by_serial_number(0xABC), list(found)[1]
    assert compromised is not None
    reason = compromised.extensions.get_extension_for_class(x509.CRLReason).value
    assert reason.reason is x509.ReasonFlags.key_compromise
    assert (unspecified.serial_number, len(unspecified.extensions)) == (0xDEF, 0)


def test_each_reason_is_one_of_rfc_5280_and_none_holds_or_names_an_authority() -> None:
    known = {each.value for each in x509.ReasonFlags}
    assert {each.value for each in RevocationReason} == known - {
        "certificateHold",
        "cACompromise",
        "aACompromise",
        "removeFromCRL",
    }


def test_a_signature_of_another_key_is_no_list() -> None:
    unsigned = unsigned_list(CA, 1, NOW, ())
    with pytest.raises(ValueError, match="does not verify"):
        assemble_list(CA, unsigned, sign(ec.generate_private_key(ec.SECP256R1()), unsigned.der))


@pytest.mark.parametrize("revoked", [(), (Revoked(5, NOW, RevocationReason.SUPERSEDED),)])
def test_pkilint_finds_nothing(revoked: tuple[Revoked, ...], tmp_path: Path) -> None:
    (tmp_path / "list.crl").write_bytes(made(1, *revoked).public_bytes(Encoding.DER))
    linter = [sys.executable, "-m", "pkilint.bin.lint_crl", "lint", "-t", "CRL", "-p", "PKIX", "-s", "NOTICE"]
    done = subprocess.run([*linter, str(tmp_path / "list.crl")], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "", "")


def test_openssl_refuses_what_is_on_it_and_takes_what_is_not(tmp_path: Path, make_ca: Callable[..., Any]) -> None:
    require("openssl")
    leaf = make_ca("leaf", (KEY, CA), ca=False, days=30)[1]
    (tmp_path / "ca.pem").write_text(certificate_pem(CA))
    (tmp_path / "leaf.pem").write_text(certificate_pem(leaf))
    for listed, wanted in ((1, "leaf.pem: OK"), (leaf.serial_number, "certificate revoked")):
        found = made(1, Revoked(listed, NOW, RevocationReason.KEY_COMPROMISE))
        (tmp_path / "list.pem").write_bytes(found.public_bytes(Encoding.PEM))
        command = ["openssl", "verify", "-CAfile", "ca.pem", "-CRLfile", "list.pem", "-crl_check", "-attime"]
        at = str(int((leaf.not_valid_before_utc + timedelta(days=2)).timestamp()))
        done = subprocess.run([*command, at, "leaf.pem"], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert wanted in done.stdout + done.stderr


def test_a_list_is_published_many_times_before_it_ends() -> None:
    assert LIST_VALIDITY >= 7 * LIST_INTERVAL
    assert LIST_MARGIN < LIST_VALIDITY - LIST_INTERVAL
