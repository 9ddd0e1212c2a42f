"""People are invited and disabled by who looks after them, and nobody else."""

import re
from dataclasses import replace

from tests.web.conftest import applied
from tests.web.pages.conftest import Visit, Visitor

from bothways.operations.hub import Hub
from bothways.operations.people import active_person, add_person, list_people
from bothways.operations.settings import TwoPeople
from bothways.registry.access import Role
from bothways.web.portal import portal_app


def test_an_operator_invites_whom_they_want(hub: Hub, operator: Visitor, issuer: str) -> None:
    form = {"name": "Bob", "email": "bob@bank.example", "role": "customer-administrator", "tsp_id": issuer}
    page = operator.post("/people", **form)
    [link] = re.findall(rf"{re.escape(hub.terms.portal)}(/invitation/[A-Za-z0-9_-]+)", page.text)
    assert "Welcome, Bob" in Visitor(hub).get(link).text
    assert operator.post("/people", **form).status_code == 409
    assert "PERSON-01" in operator.post("/people", name="Eve", email="x", role="operator").text


def test_an_administrator_invites_people_of_their_own_customer_alone(
    hub: Hub, bank: Visitor, issuer: str, other: str
) -> None:
    bank.post("/people", name="Eve", email="eve@bank.example", role="operator", tsp_id=other)
    eve = active_person(hub, "eve@bank.example")
    assert eve is not None
    assert (eve.role, eve.tsp_id) == (Role.CUSTOMER_MEMBER, issuer)


def test_people_of_others_are_not_there_for_an_administrator(hub: Hub, bank: Visitor, other: str) -> None:
    theirs = add_person(hub, "x@shop.example", "X", Role.CUSTOMER_MEMBER, other)
    hubs = add_person(hub, "y@hub.example", "Y", Role.OPERATOR)
    page = bank.get("/people").text
    for each in (theirs, hubs):
        assert each.email not in page
        assert bank.post(f"/people/{each.id}/invite").status_code == 404
        assert bank.post(f"/people/{each.id}/disable").status_code == 404


def test_who_is_disabled_has_no_session_any_more(hub: Hub, operator: Visitor, bank: Visitor) -> None:
    [number] = [each.id for each in list_people(hub) if each.role is Role.CUSTOMER_ADMINISTRATOR]
    assert operator.post(f"/people/{number}/disable", reason="tested").status_code == 303
    assert bank.get("/account").status_code == 303
    [own] = [each.id for each in list_people(hub) if each.role is Role.OPERATOR]
    assert operator.post(f"/people/{own}/disable").status_code == 409


def test_roles_that_look_after_nobody_change_nobody(visit: Visit, issuer: str) -> None:
    assert visit(Role.CUSTOMER_MEMBER, issuer).get("/people").status_code == 403
    auditor = visit(Role.AUDITOR)
    assert auditor.get("/people").status_code == 200
    assert auditor.post("/people", name="X", email="x@hub.example", role="operator").status_code == 403


def test_two_people_name_a_third_who_comes_in_by_link_and_code(hub: Hub, visit: Visit) -> None:
    strict = replace(hub, settings=replace(hub.settings, two_people=TwoPeople.ALWAYS))
    app = portal_app(strict, applied)
    first, second = visit(Role.OPERATOR), visit(Role.REVIEWER)
    first.app = second.app = app
    for each in (first, second):
        each.get("/reviews")
    page = first.post("/people", name="Zoe", email="zoe@hub.example", role="operator")
    assert "waits for a second person" in page.text
    [link] = re.findall(rf"{re.escape(hub.terms.portal)}(/invitation/[A-Za-z0-9_-]+)", page.text)
    zoe = Visitor(strict, app)
    assert (zoe.get(link).status_code, "second person" in zoe.get(link).text) == (403, True)
    queue = second.get("/reviews").text
    assert "zoe@hub.example" in queue
    assert link not in queue
    [number] = re.findall(r"/people/(\d+)/confirm", queue)
    assert f"/people/{number}/confirm" not in first.get("/reviews").text
    own = first.post(f"/people/{number}/confirm")
    assert (own.status_code, "takes two different ones" in own.text) == (403, True)
    assert "Ann (reviewer@hub.example) can confirm it" in own.text
    confirmed = second.post(f"/people/{number}/confirm")
    assert link not in confirmed.text
    [code] = re.findall(r"\b(?:[A-Z2-7]{4}-){3}[A-Z2-7]{4}\b", confirmed.text)
    assert "code of the second person" in zoe.get(link).text
    assert zoe.get(f"{link}?second=AAAA-AAAA").headers["location"] == f"{link}.AAAAAAAA"
    assert zoe.get(f"{link}.AAAAAAAA").status_code == 403
    assert "Welcome, Zoe" in zoe.get(zoe.get(f"{link}?second={code.lower()}").headers["location"]).text
    again = first.post(f"/people/{number}/invite")
    assert "An invitation by operator@hub.example waits for a second person." in again.text
    assert second.post(f"/people/{number}/refuse", reason="not lost").headers["location"].endswith("person-refused")
    assert "zoe@hub.example" not in second.get("/reviews").text
