import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bothways.registry.customer import CustomerKind, customer_findings


def ids(tsp_id: str, organization: str) -> list[str]:
    return [each.id for each in customer_findings(tsp_id, organization)]


@pytest.mark.parametrize("tsp_id", ["1", "12345678", "Bank42", "x" * 32])
@pytest.mark.parametrize("organization", ["First Bank", "Müller & Söhne", "株式会社", "x" * 64])
def test_a_good_customer_has_no_findings(tsp_id: str, organization: str) -> None:
    assert ids(tsp_id, organization) == []


@pytest.mark.parametrize(
    "tsp_id", ["", "x" * 33, "a b", "a-b", "a/b", "../a", "1\n", "1\0", "١٢٣", "\uff11\uff12", "a:b", "ä"]
)
def test_customer_01_wants_letters_and_digits(tsp_id: str) -> None:
    assert ids(tsp_id, "First Bank") == ["CUSTOMER-01"]


@pytest.mark.parametrize("organization", ["", "   ", "x" * 65, "First\nBank", "First\0Bank", "First\u202eBank"])
def test_customer_02_wants_a_printable_name(organization: str) -> None:
    assert ids("12345678", organization) == ["CUSTOMER-02"]


def test_both_mistakes_are_found_at_once() -> None:
    assert ids("", "") == ["CUSTOMER-01", "CUSTOMER-02"]


@settings(deadline=None)
@given(st.text())
def test_an_accepted_identifier_is_ascii_letters_and_digits(tsp_id: str) -> None:
    good = 1 <= len(tsp_id) <= 32 and tsp_id.isascii() and tsp_id.isalnum()
    assert ids(tsp_id, "First Bank") == ([] if good else ["CUSTOMER-01"])


def test_there_are_two_kinds_of_customers() -> None:
    assert [each.value for each in CustomerKind] == ["issuer", "merchant"]
