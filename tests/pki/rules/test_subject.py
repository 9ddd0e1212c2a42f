from collections.abc import Callable
from dataclasses import replace

import pytest

from bothways.contract.document import Environment, Terms
from bothways.findings import Level
from bothways.pki.request import parse_request
from bothways.pki.rules import Applicant, request_findings

MakeCsr = Callable[..., bytes]
TERMS = Terms(Environment.PPR, "hub.example", "https://api.hub.example", "https://portal.hub.example")
APPLICANT = Applicant("12345678", TERMS, "First Bank")
CN = "TLSMA-ECDSA/12345678/PPR"
AGREED = [("CN", CN, "UTF8String")]

# Names of customers are as long as they are; that the library warns of them is no news to the rules.
pytestmark = pytest.mark.filterwarnings("ignore:Attribute's length:UserWarning")


def judged(csr: bytes, applicant: Applicant = APPLICANT) -> list[str]:
    return [each.id for each in request_findings(parse_request(csr), applicant, "tls.csr")]


@pytest.mark.parametrize("missing", ["C", "ST", "L", "O", "OU", "CN"])
def test_csr_subject_01_refuses_a_subject_without(make_csr: MakeCsr, missing: str) -> None:
    assert judged(make_csr(**{missing: None})) == ["CSR-SUBJECT-01"]


@pytest.mark.parametrize("name", ["ST", "L", "OU", "CN"])
def test_csr_subject_01_refuses_a_second(strange_csr: MakeCsr, name: str) -> None:
    second = CN if name == "CN" else "Paris"
    assert judged(strange_csr(AGREED, [(name, second, "UTF8String")])) == ["CSR-SUBJECT-01"]


def test_csr_subject_04_refuses_two_names_in_one_part(strange_csr: MakeCsr) -> None:
    assert judged(strange_csr([*AGREED, ("OU", "Payments", "UTF8String")], without="OU")) == ["CSR-SUBJECT-04"]


def test_csr_subject_01_and_04_refuse_two_common_names_in_one_part(strange_csr: MakeCsr) -> None:
    both = [*AGREED, ("CN", "TLSMA-ECDSA/99999999/PPR", "UTF8String")]
    assert judged(strange_csr(both)) == ["CSR-SUBJECT-01", "CSR-SUBJECT-04"]


def test_csr_subject_05_refuses_an_attribute_that_was_not_agreed(strange_csr: MakeCsr) -> None:
    assert judged(strange_csr(AGREED, [("emailAddress", "a@b.example", "IA5String")])) == ["CSR-SUBJECT-05"]


@pytest.mark.parametrize("kind", ["BMPString", "T61String", "UniversalString", "IA5String", "VisibleString"])
def test_csr_subject_06_refuses_a_twin_in_another_string_type(strange_csr: MakeCsr, kind: str) -> None:
    assert judged(strange_csr([("CN", CN, kind)])) == ["CSR-SUBJECT-06"]


@pytest.mark.parametrize("kind", ["UTF8String", "PrintableString"])
def test_csr_subject_06_accepts_both_agreed_string_types(strange_csr: MakeCsr, kind: str) -> None:
    assert judged(strange_csr([("CN", CN, kind)])) == []


@pytest.mark.parametrize("unit", ["Pay\0ments", "Payments\n", " Payments", "x" * 65, "Pay\u200bments", " "])
def test_csr_subject_02_refuses_what_cannot_be_seen_and_what_is_too_long(strange_csr: MakeCsr, unit: str) -> None:
    csr = strange_csr(AGREED, [("OU", unit, "UTF8String")], without="OU")
    assert set(judged(csr)) == {"CSR-SUBJECT-02"}


@pytest.mark.parametrize("country", ["fr", "Fr", "F1"])
def test_csr_subject_02_refuses_a_country_that_is_none(make_csr: MakeCsr, country: str) -> None:
    assert judged(make_csr(C=country)) == ["CSR-SUBJECT-02"]


def test_csr_subject_03_asks_for_a_look_at_another_organization(make_csr: MakeCsr) -> None:
    (finding,) = request_findings(parse_request(make_csr(O="FIRST BANK SA")), APPLICANT, "tls.csr")
    assert (finding.id, finding.level) == ("CSR-SUBJECT-03", Level.WARNING)


def test_csr_subject_03_is_silent_where_none_is_registered(make_csr: MakeCsr) -> None:
    assert judged(make_csr(O="Another Bank"), replace(APPLICANT, organization="")) == []
