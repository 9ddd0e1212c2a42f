import pytest
from tests.operations.conftest import Audit

from bothways.errors import Conflict, NotFound, Refused
from bothways.operations.hub import Hub
from bothways.operations.people import active_person, add_person, disable_person, list_people, show_person
from bothways.registry.access import Role


def test_people_are_added_listed_and_disabled_on_record(hub: Hub, issuer: str, audited: Audit) -> None:
    ann = add_person(hub, "Ann@Hub.example", " Ann ", Role.OPERATOR, os_user="ann")
    bob = add_person(hub, "bob@bank.example", "Bob", Role.CUSTOMER_MEMBER, issuer)
    assert (ann.email, ann.name) == ("ann@hub.example", "Ann")
    assert (list_people(hub), list_people(hub, issuer), list_people(hub, None, ann.id, 1)) == (
        (ann, bob),
        (bob,),
        (bob,),
    )
    assert active_person(hub, "BOB@bank.example") == bob
    disabled = disable_person(hub, bob.id, "tested")
    assert disabled == show_person(hub, bob.id)
    assert disabled.document()["state"] == "disabled"
    assert active_person(hub, "bob@bank.example") is None
    assert audited()[-3:] == [("person.add", "1"), ("person.add", "2"), ("person.disable", "2")]


def test_what_cannot_be_is_refused_and_leaves_no_line(hub: Hub, audited: Audit) -> None:
    ann = add_person(hub, "ann@hub.example", "Ann", Role.AUDITOR)
    disable_person(hub, ann.id, "tested")
    lines = audited()
    with pytest.raises(Refused, match="PERSON-03"):
        add_person(hub, "bob@bank.example", "Bob", Role.CUSTOMER_MEMBER)
    with pytest.raises(NotFound):
        add_person(hub, "bob@bank.example", "Bob", Role.CUSTOMER_MEMBER, "999")
    with pytest.raises(Conflict, match="disabled already"):
        disable_person(hub, ann.id, "tested")
    with pytest.raises(NotFound):
        show_person(hub, 99)
    assert audited() == lines
