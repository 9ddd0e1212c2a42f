import ssl
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from tests.spoke.hubs import Hubs

from bothways import files
from bothways.errors import Unusable
from bothways.spoke.directory import Spoke
from bothways.spoke.spoke_line import SpokeLine, tls_context


def test_the_line_has_the_endpoint_of_the_contract_and_the_end_of_the_certificate(ready_spoke: Spoke) -> None:
    line = SpokeLine(str(ready_spoke.directory))
    [certificate, *_] = x509.load_pem_x509_certificates(ready_spoke.certificate_file.read_bytes())
    ends = line.metrics.value("bothways_spoke_certificate_expiration_timestamp_seconds")
    assert (line.endpoint, ends) == (
        ready_spoke.contract.terms.endpoint,
        certificate.not_valid_after_utc.timestamp(),
    )


def test_a_changed_contract_is_another_context(hubs: Hubs) -> None:
    line = SpokeLine(hubs.spoke)
    before, version = line.context()
    files.replace(hubs.spoke.contract_file, hubs.spoke.contract_file.read_bytes() + b"\n")
    while line.look() == version:
        pass
    after, changed = line.context()
    assert (after is not before, changed) == (True, version + 1)


def test_a_new_connection_looks_at_the_files_however_short_the_last_look_is_ago(
    hubs: Hubs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bothways.spoke.line.LOOK_SECONDS", float("inf"))
    line = SpokeLine(hubs.spoke)
    version = line.look()
    files.replace(hubs.spoke.contract_file, hubs.spoke.contract_file.read_bytes() + b"\n")
    assert line.look() == version
    assert line.context()[1] == line.look() == version + 1


def test_tls_is_1_2_or_higher_and_trusts_the_contract_alone(ready_spoke: Spoke) -> None:
    context = tls_context(ready_spoke)
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    trusted = context.get_ca_certs(binary_form=True)
    wanted = x509.load_pem_x509_certificates(ready_spoke.contract.trust.server_ca.encode())
    assert trusted == [each.public_bytes(Encoding.DER) for each in wanted]


@pytest.mark.parametrize(("name", "command"), [("tls.crt", "install CERT"), ("tls.key", "csr")])
def test_without_certificate_or_key_it_says_what_to_do(ready_spoke: Spoke, name: str, command: str) -> None:
    (ready_spoke.directory / name).unlink()
    with pytest.raises(Unusable, match=f"{name} is missing. Get it: bothways spoke {command} --directory "):
        tls_context(ready_spoke)


def test_a_key_of_another_certificate_is_said(ready_spoke: Spoke) -> None:
    command = ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
    other = subprocess.run(command, capture_output=True, check=True, timeout=30)
    files.replace(ready_spoke.key_file, other.stdout, files.PRIVATE)
    with pytest.raises(Unusable, match="do not belong together"):
        tls_context(ready_spoke)


def test_a_damaged_certificate_is_said(ready_spoke: Spoke) -> None:
    files.replace(ready_spoke.certificate_file, b"damaged")
    with pytest.raises(Unusable, match=r"tls\.crt holds no certificate in PEM"):
        tls_context(ready_spoke)
