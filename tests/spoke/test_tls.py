import ssl
import subprocess
from pathlib import Path

import pkcs11
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from bothways.errors import Unusable
from bothways.spoke.tls import anchors, load_pair

EC = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"


def self_signed(place: Path, name: str, key: str = EC) -> tuple[Path, Path]:
    certificate, private = place / f"{name}.crt", place / f"{name}.key"
    command = f"openssl req -x509 {key} -keyout {private} -out {certificate} -subj /CN={name} -days 9"
    subprocess.run(command.split(), capture_output=True, check=True, timeout=60)
    return certificate, private


@pytest.mark.parametrize("key", [EC, "-newkey rsa:2048 -nodes", "-newkey ed25519 -nodes"], ids=["EC", "RSA", "Ed25519"])
def test_a_pair_made_by_openssl_is_loaded(tmp_path: Path, key: str) -> None:
    certificate = load_pair(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), *self_signed(tmp_path, "one", key))
    assert certificate.subject.rfc4514_string() == "CN=one"


def test_a_key_of_another_certificate_is_said(tmp_path: Path) -> None:
    certificate, _ = self_signed(tmp_path, "one")
    _, key = self_signed(tmp_path, "two")
    with pytest.raises(Unusable, match=r"one\.crt and .*two\.key do not belong together"):
        load_pair(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), certificate, key)


def test_an_encrypted_key_is_said_and_nobody_is_asked_for_a_passphrase(tmp_path: Path) -> None:
    pair = self_signed(tmp_path, "one", EC.replace("-nodes", "-passout pass:secret"))
    with pytest.raises(Unusable, match=r"one\.key is encrypted, and nobody is there to ask"):
        load_pair(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), *pair)


def test_a_certificate_with_a_weak_key_that_openssl_does_not_take_is_said(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="are not taken by OpenSSL: EE_KEY_TOO_SMALL"):
        load_pair(
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH),
            *self_signed(tmp_path, "one", "-newkey rsa:1024 -nodes"),
        )


def test_a_file_that_is_no_certificate_is_said(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path, "one")
    certificate.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    with pytest.raises(Unusable, match=r"one\.crt holds no certificate in PEM"):
        load_pair(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), certificate, key)


def test_an_error_that_another_library_left_behind_is_not_taken_for_ours(
    tmp_path: Path, softhsm: Path, token_uri: str
) -> None:
    assert token_uri
    pkcs11.lib(str(softhsm)).reinitialize()
    certificate, _ = self_signed(tmp_path, "one")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=anchors(certificate.read_text()))
    assert len(context.get_ca_certs()) == 1


def test_anchors_are_taken_whatever_is_written_around_them(tmp_path: Path) -> None:
    first, second = (self_signed(tmp_path, name)[0].read_text() for name in ("one", "two"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=anchors(f"# é of the first\n{first}\nand the second:\r\n{second}"))
    wanted = x509.load_pem_x509_certificates((first + second).encode())
    assert context.get_ca_certs(binary_form=True) == [each.public_bytes(Encoding.DER) for each in wanted]
