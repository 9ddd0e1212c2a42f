"""A session is its cookie's, for half an hour of silence and twelve hours at most; it ends when somebody ends it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from bothways.errors import NotFound
from bothways.operations.hub import Hub
from bothways.operations.people import add_person, disable_person
from bothways.operations.sessions import IDLE, LONGEST, begin_session, end_session, list_sessions, visit_of
from bothways.registry.access import Role
from bothways.registry.person import Person
from bothways.store import schema_sign_in


@pytest.fixture
def ann(hub: Hub) -> Person:
    return add_person(hub, "ann@hub.example", "Ann", Role.OPERATOR)


def begun(hub: Hub, person: Person) -> str:
    return begin_session(hub, person, "192.0.2.1", "browser\n" * 100, "test")


def after(hub: Hub, delay: timedelta) -> Hub:
    moment = hub.now() + delay
    return replace(hub, now=lambda: moment)


def test_a_session_is_found_by_its_cookie_alone(hub: Hub, ann: Person) -> None:
    cookie = begun(hub, ann)
    visit = visit_of(hub, cookie)
    assert visit is not None
    assert (visit.person, visit.session.source) == (ann, "192.0.2.1")
    assert visit.session.browser == ("browser" * 100)[:200]
    assert visit_of(hub, cookie + "x") is None
    with hub.read() as connection:
        rows = connection.execute(select(schema_sign_in.session)).all()
    assert rows
    assert cookie not in repr(rows)


def test_it_ends_by_silence_and_by_age(hub: Hub, ann: Person) -> None:
    cookie = begun(hub, ann)
    assert visit_of(after(hub, IDLE + timedelta(seconds=1)), cookie) is None
    # Who goes on is let go on, until the day is over.
    step = timedelta(minutes=20)
    for number in range(1, LONGEST // step):
        assert visit_of(after(hub, number * step), cookie) is not None
    assert visit_of(after(hub, LONGEST + timedelta(seconds=1)), cookie) is None


def test_sessions_are_listed_and_ended_by_whose_they_are(hub: Hub, ann: Person) -> None:
    bob = add_person(hub, "bob@hub.example", "Bob", Role.OPERATOR)
    cookies = [begun(hub, ann) for _ in range(2)]
    first = list_sessions(hub, ann)[1]
    with pytest.raises(NotFound):
        end_session(hub, bob, first.id)
    end_session(hub, ann, first.id)
    assert [visit_of(hub, each) is None for each in cookies] == [True, False]


def test_who_is_disabled_has_no_session_any_more(hub: Hub, ann: Person) -> None:
    cookie = begun(hub, ann)
    disable_person(hub, ann.id, "tested")
    assert visit_of(hub, cookie) is None
