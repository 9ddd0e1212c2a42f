import ssl

import pytest

from bothways.pki.alerts import ALERTS, Alert, alert, alert_in


def test_each_alert_that_speaks_of_certificates_or_versions_is_a_sentence() -> None:
    assert [each.number for each in ALERTS] == [40, 42, 43, 44, 45, 46, 48, 49, 70, 112, 116, 120]
    assert str(alert(48)) == "it does not trust the CA of the certificate (TLS alert 48, unknown_ca)"
    assert alert(80) == Alert(80, "another alert", "it ended the handshake")


@pytest.mark.parametrize(
    ("reason", "number"),
    [
        ("SSLV3_ALERT_HANDSHAKE_FAILURE", 40),
        ("SSLV3_ALERT_BAD_CERTIFICATE", 42),
        ("SSLV3_ALERT_CERTIFICATE_UNKNOWN", 46),
        ("[SSL: TLSV1_ALERT_UNKNOWN_CA] tlsv1 alert unknown ca (_ssl.c:2580)", 48),
        ("TLSV1_ALERT_ACCESS_DENIED", 49),
        ("TLSV1_ALERT_PROTOCOL_VERSION", 70),
        ("TLSV1_UNRECOGNIZED_NAME", 112),
        ("TLSV13_ALERT_CERTIFICATE_REQUIRED", 116),
        ("tlsv13 alert certificate required", 116),
        ("TLS_error:|268435576:SSL_routines:OPENSSL_internal:TLSV1_ALERT_CERTIFICATE_REQUIRED:TLS_error_end", 116),
        ("TLSV1_ALERT_NO_APPLICATION_PROTOCOL", 120),
    ],
)
def test_the_reasons_of_openssl_and_boringssl_are_known(reason: str, number: int) -> None:
    found = alert_in(reason)
    assert found is not None
    assert found.number == number


@pytest.mark.parametrize("reason", ["", "WRONG_VERSION_NUMBER", "TLSV1_BAD_CERTIFICATE_STATUS_RESPONSE"])
def test_other_reasons_are_no_alert_of_the_table(reason: str) -> None:
    assert alert_in(reason) is None


def test_what_the_ssl_module_says_is_read() -> None:
    # A server that is offered no protocol that it speaks, over memory: the alert is a real one.
    client, server = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    client.check_hostname = False
    client.maximum_version, server.minimum_version = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking, answering = client.wrap_bio(back, there), server.wrap_bio(there, back, server_side=True)
    with pytest.raises(ssl.SSLWantReadError):
        asking.do_handshake()
    with pytest.raises(ssl.SSLError):
        answering.do_handshake()
    with pytest.raises(ssl.SSLError) as raised:
        asking.do_handshake()
    assert alert_in(str(raised.value)) == alert(70)
