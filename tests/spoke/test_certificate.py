from datetime import timedelta

import pytest
from cryptography import x509

from bothways.errors import Refused
from bothways.spoke.certificate import date_findings, judge, read_certificates, uri_id
from bothways.spoke.directory import Spoke
from bothways.spoke.pair import read_key


def test_the_installed_certificate_is_judged_good_at_any_moment_of_its_validity(ready_spoke: Spoke) -> None:
    handed = read_certificates(ready_spoke.certificate_file.read_bytes(), "tls.crt")
    held = {read_key(ready_spoke.key_file).spki_pin: "tls.key"}
    begin, end = handed[0].not_valid_before_utc, handed[0].not_valid_after_utc
    for now in (begin, end):
        judged = judge(handed[::-1], held, ready_spoke.contract, ready_spoke.tsp_id, now)
        assert (judged.path, judged.findings) == (handed, ())
        assert uri_id(judged.certificate).startswith("urn:bothways:PPR:12345678:")
    second = timedelta(seconds=1)
    for now, found in ((begin - second, "INSTALL-07"), (end + second, "INSTALL-06")):
        assert [each.id for each in date_findings(handed[:1], now, "tls.crt")] == [found]


def test_for_another_customer_and_another_key_all_is_said_at_once(ready_spoke: Spoke) -> None:
    handed = read_certificates(ready_spoke.certificate_file.read_bytes(), "tls.crt")
    judged = judge(handed, {"": "other.key"}, ready_spoke.contract, "87654321", handed[0].not_valid_before_utc)
    assert [each.id for each in judged.findings] == ["INSTALL-02", "INSTALL-04"]
    assert "other.key" in judged.findings[0].message


def test_a_certificate_without_names_has_no_uri_id(ready_spoke: Spoke) -> None:
    [authority] = x509.load_pem_x509_certificates(ready_spoke.contract.trust.issuing_ca.encode())
    assert uri_id(authority) == ""


@pytest.mark.parametrize("data", [b"0\x82\x00", b"", b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----"])
def test_what_is_no_certificate_is_refused(data: bytes) -> None:
    with pytest.raises(Refused):
        read_certificates(data, "a file")
