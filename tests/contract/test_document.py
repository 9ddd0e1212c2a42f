import pytest

from bothways.contract.document import Environment, KeyType, OutboundTerms, RequestTerms, Terms


@pytest.mark.parametrize(
    ("key", "marker", "wanted"), [(KeyType.ECDSA, "ECDSA", "ECDSA P-256"), (KeyType.RSA, "RSA", "RSA 4096")]
)
def test_a_key_type_has_its_marker_and_its_words(key: KeyType, marker: str, wanted: str) -> None:
    assert (key.marker, key.wanted) == (marker, wanted)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("TLSMA-{algorithm}/{tspId}/{environment}", "TLSMA-RSA/12345678/PRD"),
        ("{environment}.{tspId}.{algorithm}", "PRD.12345678.RSA"),
        ("{other}-{algorithm}-{tspId}-{environment}", "{other}-RSA-12345678-PRD"),
    ],
)
def test_the_common_name_is_the_pattern_with_its_places_filled(pattern: str, expected: str) -> None:
    assert RequestTerms(pattern).expected_common_name(KeyType.RSA, "12345678", Environment.PRD) == expected


def test_the_defaults_are_those_of_the_agreement() -> None:
    terms = Terms(Environment.PPR, "hub.example", "https://hub.example", "https://portal.hub.example")
    assert terms.request == RequestTerms("TLSMA-{algorithm}/{tspId}/{environment}", (KeyType.ECDSA, KeyType.RSA))
    assert terms.outbound == OutboundTerms((443, 8443), "/")
