import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.vectors import shape

from bothways.pki.mistaken import broken_string, refused_der


@given(st.binary(max_size=300))
def test_any_bytes_get_one_finding(der: bytes) -> None:
    (finding,) = refused_der(der, ValueError("why"), "tls.csr").findings
    assert (finding.subject, finding.hint.endswith(".")) == ("tls.csr", True)


@given(st.integers(0, 400), st.binary(max_size=8))
def test_any_change_of_a_request_gets_one_finding(at: int, instead: bytes) -> None:
    request = shape.good()
    assert len(refused_der(request[:at] + instead + request[at + len(instead) :], ValueError("why"), "").findings) == 1


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("why", "why"),
        (
            'ParseError { kind: InvalidValue, location: ["Csr::csr_info", "CertificationRequestInfo::version"] }',
            "version is not as it has to be",
        ),
        ("ParseError { kind: InvalidValue, location: [0] }", "its outer form is not as it has to be"),
    ],
)
def test_what_the_library_says_is_told_without_its_types(error: str, said: str) -> None:
    (finding,) = refused_der(b"\x30\x00", ValueError(error), "").findings
    assert finding.message == f"this is no certification request that can be read: {said}"


def test_a_good_request_has_no_broken_string() -> None:
    assert broken_string(shape.good()) is None
    assert broken_string(b"\x30") is None
