"""DER, against the encodings that X.690 and the RFCs print."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from bothways.pki import der


@pytest.mark.parametrize("length", [0, 1, 127, 128, 255, 256, 65535, 65536])
def test_a_length_has_its_shortest_form_and_is_read_back(length: int) -> None:
    element = der.tagged(der.OCTET_STRING, bytes(length))
    octets = {0: 1, 1: 1, 127: 1, 128: 2, 255: 2, 256: 3, 65535: 3, 65536: 4}[length]
    assert len(element) == 1 + octets + length
    assert der.content(element) == bytes(length)


@given(st.integers(1, 2**160), st.integers(1, 2**160))
def test_integers_are_encoded_as_the_library_does(first: int, second: int) -> None:
    assert der.sequence(der.integer(first), der.integer(second)) == encode_dss_signature(first, second)


@pytest.mark.parametrize(
    ("value", "hex_octets"), [(0, "020100"), (127, "02017f"), (128, "02020080"), (255, "020200ff"), (256, "02020100")]
)
def test_an_integer_is_positive_and_as_short_as_it_can_be(value: int, hex_octets: str) -> None:
    assert der.integer(value).hex() == hex_octets


@pytest.mark.parametrize(
    ("dotted", "hex_octets"),
    [
        ("2.5.29.14", "0603551d0e"),
        ("1.2.840.10045.4.3.2", "06082a8648ce3d040302"),
        ("1.2.840.113549.1.1.11", "06092a864886f70d01010b"),
        ("2.999.3", "0603883703"),
        ("0.0", "060100"),
    ],
)
def test_object_identifiers(dotted: str, hex_octets: str) -> None:
    assert der.oid(dotted).hex() == hex_octets


@pytest.mark.parametrize(
    ("moment", "tag", "text"),
    [
        (datetime(2026, 1, 2, 3, 4, 5, 999_999, UTC), der.UTC_TIME, b"260102030405Z"),
        (datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC), der.UTC_TIME, b"491231235959Z"),
        (datetime(2050, 1, 1, tzinfo=UTC), der.GENERALIZED_TIME, b"20500101000000Z"),
        (datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=2))), der.UTC_TIME, b"251231230000Z"),
    ],
)
def test_times_change_their_type_with_2050(moment: datetime, tag: int, text: bytes) -> None:
    assert der.time(moment) == der.tagged(tag, text)


def test_what_is_signed_reads_as_a_certificate(make_certificate: object) -> None:
    _, certificate = make_certificate("CA")  # type: ignore[operator]
    tbs, algorithm, _ = der.parts(certificate.public_bytes(Encoding.DER))
    again = x509.load_der_x509_certificate(der.signed(tbs, algorithm, certificate.signature))
    assert again == certificate


@pytest.mark.parametrize("octets", ["", "30", "3001", "300102", "3002020100", "30820001", "30030201", "308101"])
def test_damage_is_a_value_error(octets: str) -> None:
    with pytest.raises(ValueError, match="element"):
        [der.content(each) for each in der.parts(bytes.fromhex(octets))]
