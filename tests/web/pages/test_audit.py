"""The audit is read from its end, page by page, by who may read it."""

import html
import re
from dataclasses import replace
from datetime import timedelta

from tests.web.pages.conftest import Visit, Visitor

from bothways.operations.audit import verify_audit
from bothways.operations.customers import resume_customer, suspend_customer
from bothways.operations.hub import Hub
from bothways.operations.tokens import create_token
from bothways.registry.access import Action, Role


def test_it_is_read_from_its_end(hub: Hub, operator: Visitor, issuer: str) -> None:
    for number in range(60):
        (suspend_customer if number % 2 == 0 else resume_customer)(hub, issuer, "tested")
    page = operator.get("/audit").text
    head = verify_audit(hub).document()["head"]
    assert (head["head"] if isinstance(head, dict) else head) in page
    [before] = re.findall(r"\?before=(\d+)", page)
    older = operator.get(f"/audit?before={before}").text
    assert "hub.init" in older
    assert "customer.suspend" in page


def test_a_line_says_all_of_it_in_words_with_the_call_it_was_done_in(hub: Hub, operator: Visitor, issuer: str) -> None:
    scopes = [Action.CUSTOMER_READ, Action.REQUEST_SUBMIT]
    create_token(replace(hub, request_id="cli-1f2e"), "ci", Role.CUSTOMER_MEMBER, issuer, scopes)
    said = operator.said(operator.get("/audit"))
    assert "customer-read, request-submit" in said
    assert "cli-1f2e" in said


def test_auditors_and_reviewers_read_it(visit: Visit) -> None:
    for role in (Role.AUDITOR, Role.REVIEWER):
        assert visit(role).get("/audit").status_code == 200


def test_it_is_filtered_and_the_filter_goes_along_to_older_lines(hub: Hub, operator: Visitor, issuer: str) -> None:
    for number in range(60):
        (suspend_customer if number % 2 == 0 else resume_customer)(hub, issuer, f"reason {number}")
        if number % 2 == 0:
            create_token(hub, f"ci{number}", Role.AUDITOR)
            create_token(hub, f"cd{number}", Role.AUDITOR)
    query = f"actor={hub.actor}&customer=&action=token.add&from={hub.now():%Y-%m-%d}&until={hub.now():%Y-%m-%d}"
    page = operator.get(f"/audit?{query}").text
    assert ("token.add</strong>" in page, "customer.suspend</strong>" in page) == (True, False)
    assert "<option selected>token.add</option>" in page
    [older] = re.findall(r'href="(\?[^"]*before=\d+)"', page)
    following = operator.get(f"/audit{html.unescape(older)}").text
    assert (
        "ci0 " in operator.said(operator.get(f"/audit{html.unescape(older)}")),
        "hub.init</strong>" in following,
    ) == (
        True,
        False,
    )
    of_customer = operator.get(f"/audit?customer={issuer}").text
    assert ("customer.suspend</strong>" in of_customer, "token.add</strong>" in of_customer) == (True, False)
    assert "No line is like that." in operator.get(f"/audit?until={hub.now() - timedelta(days=1):%Y-%m-%d}").text


def test_what_is_no_day_is_said(operator: Visitor) -> None:
    answer = operator.get("/audit?from=yesterday")
    assert answer.status_code == 422
    assert "is no day and no moment. Write 2026-11-23" in operator.said(answer)
