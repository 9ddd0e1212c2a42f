import pytest

from bothways.contract.subject import LIMITS, Subject, attribute_mistakes, subject_findings

GOOD = Subject("FR", "Île-de-France", "Paris", "First Bank", "Payments")


def test_attributes_come_in_the_order_of_the_agreement() -> None:
    assert list(GOOD.attributes().items()) == [
        ("C", "FR"),
        ("ST", "Île-de-France"),
        ("L", "Paris"),
        ("O", "First Bank"),
        ("OU", "Payments"),
    ]


def test_a_good_subject_has_no_findings() -> None:
    assert subject_findings(GOOD) == ()


@pytest.mark.parametrize("name", sorted(LIMITS.keys() - {"C"}))
def test_each_attribute_may_fill_its_limit_and_not_more(name: str) -> None:
    limit = LIMITS[name]
    assert attribute_mistakes(name, "x" * limit) == []
    assert attribute_mistakes(name, "x" * (limit + 1)) == [
        f"{name} has {limit + 1} characters, at most {limit} are allowed"
    ]


@pytest.mark.parametrize("value", ["fr", "F", "F1", "FRA", "ÄÖ", "Fr", "٣٤"])
def test_a_country_is_two_capital_letters(value: str) -> None:
    assert attribute_mistakes("C", value)[-1] == (
        f"C is {value!r}, a country code of two capital letters is wanted, for example FR"
    )


@pytest.mark.parametrize(
    ("value", "start"),
    [
        ("", "O is empty"),
        ("  ", "O is empty"),
        (" Bank", "O begins or ends with white space"),
        ("Bank ", "O begins or ends with white space"),
        ("Ba\0nk", "O has a control character"),
        ("Ba\nnk", "O has a control character"),
        ("Ba\u202enk", "O has a control character"),
        ("Ba\x7fnk", "O has a control character"),
        ("Ba\u3164nk", "O has a control character or another that cannot be seen: 'Ba\\u3164nk'"),
        ("Ba\u2800nk", "O has a control character"),
        ("Ba\ufe0fnk", "O has a control character"),
        ("Ba\U000e0041nk", "O has a control character"),
    ],
)
def test_what_cannot_be_seen_is_refused(value: str, start: str) -> None:
    (mistake,) = attribute_mistakes("O", value)
    assert mistake.startswith(start)


@pytest.mark.parametrize("value", ["Müller & Söhne", "O'Neil, Inc.", "a/b=c+d", "株式会社"])
def test_names_of_real_organizations_are_fine(value: str) -> None:
    assert attribute_mistakes("O", value) == []


def test_all_mistakes_are_found_at_once() -> None:
    findings = subject_findings(Subject("France", "", "Paris\n", "x" * 65, "Payments"))
    assert {each.id for each in findings} == {"CSR-SUBJECT-02"}
    assert [each.message.split()[0] for each in findings] == ["C", "C", "ST", "L", "L", "O"]
