from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from bothways.connectivity.handshake import Endpoint, handshake_finding
from bothways.connectivity.observation import CertificateOnRecord, FailedHandshake
from bothways.contract.document import Environment, RequestTerms
from bothways.findings import Level
from bothways.pki.presented import Presented

Present = Callable[..., Presented]
NOW = datetime.now(UTC)
FAILED = FailedHandshake(NOW, "192.0.2.1")
VERIFY = "TLS_error:|268435581:SSL_routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:verify_cert_failed:"
DEPTH = f"{VERIFY}_X509_verify_cert:_certificate_verification_error_at_depth_0:_"
UNKNOWN_ISSUER = f"{DEPTH}unable_to_get_local_issuer_certificate:TLS_error_end"


@pytest.fixture
def ca(make_ca: Callable[..., Any]) -> Any:
    return make_ca("ppr.hub.example PPR issuing CA")


@pytest.fixture
def endpoint(ca: Any) -> Endpoint:
    return Endpoint(Environment.PPR, "api.hub.example", (ca[1],), RequestTerms())


@pytest.mark.parametrize(
    ("reason", "wanted"),
    [
        ("x:PEER_DID_NOT_RETURN_A_CERTIFICATE:y", "INBOUND-TLS-01"),
        ("x:UNSUPPORTED_PROTOCOL:y", "INBOUND-TLS-02"),
        ("x:WRONG_CURVE:y", "INBOUND-TLS-03"),
        ("x:NO_SHARED_CIPHER:y", "INBOUND-TLS-03"),
        ("x:NO_SHARED_GROUP:y", "INBOUND-TLS-03"),
        ("x:HTTP_REQUEST:y", "INBOUND-TLS-04"),
        ("x:WRONG_VERSION_NUMBER:y", "INBOUND-TLS-04"),
        ("x:TLSV1_ALERT_UNKNOWN_CA:y", "INBOUND-TLS-05"),
        ("x:SSLV3_ALERT_BAD_CERTIFICATE:y", "INBOUND-TLS-05"),
        ("x:BAD_PACKET_LENGTH|1:z:DECRYPTION_FAILED_OR_BAD_RECORD_MAC:y", "INBOUND-TLS-05"),
        ("x:SOMETHING_NEW:TLS_error_end", "INBOUND-TLS-06"),
        ("", "INBOUND-TLS-06"),
    ],
)
def test_each_reason_of_a_handshake_without_a_certificate(endpoint: Endpoint, reason: str, wanted: str) -> None:
    assert handshake_finding(replace(FAILED, reason=reason), None, endpoint).id == wanted


def test_an_unknown_reason_is_said_as_it_was_logged(endpoint: Endpoint) -> None:
    found = handshake_finding(replace(FAILED, reason="TLS_error:|1:x:SOMETHING_NEW:TLS_error_end"), None, endpoint)
    assert found.message == "the handshake failed: 'SOMETHING NEW'"


@pytest.mark.parametrize(
    ("ja4", "said"), [("t11d1", "TLS 1.1"), ("t10d1", "TLS 1.0"), ("ts3d1", "SSL 3.0"), ("", "an older version of TLS")]
)
def test_the_version_is_that_of_the_client_hello(endpoint: Endpoint, ja4: str, said: str) -> None:
    failed = replace(FAILED, reason="UNSUPPORTED_PROTOCOL", ja4=ja4)
    assert handshake_finding(failed, None, endpoint).message == f"{said} was offered; 1.2 or 1.3 is wanted"


def test_a_server_name_is_shown_short_and_harmless(endpoint: Endpoint) -> None:
    found = handshake_finding(replace(FAILED, flags="NR", server_name="\x1b[31m" + "x" * 200), None, endpoint)
    assert found.id == "INBOUND-NAME-01"
    assert "'\\x1b[31m" in found.message
    assert len(found.message) < 200
    assert handshake_finding(replace(FAILED, flags="NR"), None, endpoint).id == "INBOUND-NAME-02"


def test_a_certificate_of_another_ca(endpoint: Endpoint, present: Present) -> None:
    found = handshake_finding(replace(FAILED, reason=UNKNOWN_ISSUER), present(), endpoint)
    assert found.id == "INBOUND-CERTIFICATE-01"
    assert found.message == "the certificate is issued by 'CN=Some other CA', not by the hub's CA"


def test_a_self_signed_certificate(endpoint: Endpoint, make_ca: Callable[..., Any], present: Present) -> None:
    own = present("Bank", issuer=make_ca("Bank"))
    found = handshake_finding(replace(FAILED, reason=UNKNOWN_ISSUER), own, endpoint)
    assert (found.id, found.message) == (
        "INBOUND-CERTIFICATE-01",
        "the certificate is issued by itself, not by the hub's CA",
    )


def test_a_certificate_of_the_other_environment(endpoint: Endpoint, present: Present) -> None:
    found = handshake_finding(replace(FAILED, reason=UNKNOWN_ISSUER), present("TLSMA-RSA/1/PRD"), endpoint)
    assert (found.id, found.message) == ("INBOUND-CERTIFICATE-02", "the certificate is for PRD; this is PPR")


def test_a_certificate_that_our_ca_did_not_sign(endpoint: Endpoint, ca: Any, present: Present) -> None:
    forged = present(named=ca[1].subject)
    found = handshake_finding(
        replace(FAILED, reason=f"{VERIFY}_certificate_signature_failure:TLS_error_end"), forged, endpoint
    )
    assert found.id == "INBOUND-CERTIFICATE-07"


@pytest.mark.parametrize(
    ("reason", "change", "wanted"),
    [
        ("certificate_has_expired", {"not_after": NOW - timedelta(days=1)}, "INBOUND-CERTIFICATE-03"),
        # What expired is another certificate of the path than this one.
        ("certificate_has_expired", {}, "INBOUND-CERTIFICATE-09"),
        ("certificate_is_not_yet_valid", {"not_before": NOW + timedelta(days=1)}, "INBOUND-CERTIFICATE-04"),
        ("certificate_is_not_yet_valid", {}, "INBOUND-CERTIFICATE-09"),
        ("certificate_revoked", {}, "INBOUND-CERTIFICATE-05"),
        ("unsupported_certificate_purpose", {"usage": ExtendedKeyUsageOID.SERVER_AUTH}, "INBOUND-CERTIFICATE-06"),
        ("unsupported_certificate_purpose", {}, "INBOUND-CERTIFICATE-09"),
        ("something_new", {}, "INBOUND-CERTIFICATE-09"),
    ],
)
def test_each_reason_of_a_certificate_of_our_ca(
    endpoint: Endpoint, ca: Any, present: Present, reason: str, change: dict[str, Any], wanted: str
) -> None:
    failed = replace(FAILED, reason=f"{DEPTH}{reason}:TLS_error_end")
    assert handshake_finding(failed, present(issuer=ca, **change), endpoint).id == wanted


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (None, "the certificate was revoked"),
        (
            CertificateOnRecord(NOW, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "keyCompromise"),
            "the certificate was revoked on 2026-01-02 03:04:05 UTC (keyCompromise)",
        ),
        (
            CertificateOnRecord(NOW, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "superseded"),
            "the certificate was replaced by a newer one, and revoked on 2026-01-02 03:04:05 UTC",
        ),
    ],
)
def test_a_revocation_says_what_is_on_record(
    endpoint: Endpoint, ca: Any, present: Present, record: CertificateOnRecord | None, message: str
) -> None:
    failed = replace(FAILED, reason=f"{DEPTH}certificate_revoked:TLS_error_end")
    assert handshake_finding(failed, present(issuer=ca), endpoint, record).message == message


def test_a_certificate_that_cannot_be_read_is_told(endpoint: Endpoint) -> None:
    found = handshake_finding(replace(FAILED, reason=UNKNOWN_ISSUER, certificate="x"), None, endpoint)
    assert (found.id, found.level) == ("INBOUND-CERTIFICATE-09", Level.ERROR)
    assert "unable to get local issuer certificate" in found.message
