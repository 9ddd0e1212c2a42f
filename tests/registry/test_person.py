from datetime import UTC, datetime

import pytest

from bothways.registry.access import Principal, Role
from bothways.registry.person import Person, person_findings

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def ids(email: str, name: str, role: Role, tsp_id: str | None, os_user: str | None = None) -> list[str]:
    return [each.id for each in person_findings(email, name, role, tsp_id, os_user)]


def test_good_people_are_taken() -> None:
    assert ids("ann@hub.example", "Ann Björk-O'Neil", Role.OPERATOR, None, "ann") == []
    assert ids("bob@bank.example", "Bob", Role.CUSTOMER_MEMBER, "12345678") == []


def test_everything_that_is_wrong_is_found_at_once() -> None:
    assert ids("ann", " ", Role.OPERATOR, "12345678", "a b") == ["PERSON-01", "PERSON-02", "PERSON-03", "PERSON-04"]


@pytest.mark.parametrize("name", ["", "a" * 101, "Ann\nBob", "Ann\x00", "\u202eAnn"])
def test_a_name_is_one_printable_line(name: str) -> None:
    assert ids("ann@hub.example", name, Role.OPERATOR, None) == ["PERSON-02"]


def test_a_role_goes_with_its_side() -> None:
    assert ids("a@b.example", "Ann", Role.CUSTOMER_MEMBER, None) == ["PERSON-03"]
    assert ids("a@b.example", "Ann", Role.CUSTOMER_MEMBER, "12345678", "ann") == ["PERSON-04"]


def test_a_person_asks_in_their_own_name() -> None:
    ann = Person(1, "ann@bank.example", "Ann", Role.CUSTOMER_MEMBER, "12345678", None, NOW)
    assert ann.principal == Principal("ann@bank.example", Role.CUSTOMER_MEMBER, "12345678", person="ann@bank.example")
    assert ann.document() == {
        "id": 1,
        "email": "ann@bank.example",
        "name": "Ann",
        "role": "customer-member",
        "customer": "12345678",
        "os_user": None,
        "state": "active",
        "added_at": "2026-11-23T12:00:00+00:00",
        "disabled_at": None,
        "proposed_by": None,
        "sign_in_proposed_by": None,
    }
