import json
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from tests.web.api.conftest import Api

from bothways.operations.audit_head import read_head
from bothways.operations.customers import resume_customer, suspend_customer
from bothways.operations.hub import Hub
from bothways.registry.access import Role


def test_the_audit_is_read_in_pages_and_verified(hub: Hub, api: Api, issuer: str) -> None:
    head = api("GET", "/audit/verify", role=Role.AUDITOR)["head"]
    seen: list[Any] = []
    after: int | None = 0
    while after is not None:
        page = api("GET", f"/audit?limit=2&after={after}", role=Role.AUDITOR)
        seen += page["items"]
        after = page["next"]
    assert [each["sequence"] for each in seen] == list(range(1, len(seen) + 1))
    assert (seen[0]["subject"], seen[-1]["action"]) == (hub.terms.hub, "token.add")
    assert issuer in {each["subject"] for each in seen}
    known = api("GET", f"/audit/verify?head={head}")
    assert (known["whole"], known["findings"]) == (True, [])
    missing = api("GET", f"/audit/verify?head=1:{'0' * 64}")
    assert [each["id"] for each in missing["findings"]] == ["AUDIT-02"]
    api("GET", "/audit/verify?head=x", None, 422)


def test_the_signed_head_and_an_export_are_compared_with_what_is_there(api: Api, issuer: str) -> None:
    lines = api("GET", "/audit", role=Role.AUDITOR)["items"]
    signed = api("GET", "/audit/head", role=Role.AUDITOR)
    head = read_head(json.dumps(signed).encode(), "head")
    assert head.lines >= len(lines) > 0
    exported = "\n".join(json.dumps(each) for each in [*lines, signed])
    assert api("POST", "/audit/compare", {"export": exported}, role=Role.AUDITOR) == {"findings": []}
    lines[0]["hash"] = "0" * 64
    forged = {"export": json.dumps(lines[0])}
    assert [each["id"] for each in api("POST", "/audit/compare", forged)["findings"]] == ["AUDIT-03"]
    assert [each["id"] for each in api("POST", "/audit/compare", {"export": issuer}, 422)["errors"]] == ["AUDIT-03"]


def test_lines_are_looked_for_and_paged_by_actor_customer_action_and_time(hub: Hub, api: Api, issuer: str) -> None:
    before = quote(hub.now().isoformat())
    for number in range(3):
        suspend_customer(hub, issuer, f"for the {number}. time")
        resume_customer(hub, issuer)
    later = quote((hub.now() + timedelta(seconds=1)).isoformat())
    found: list[Any] = []
    after: int | None = 0
    while after is not None:
        query = f"action=customer.suspend&customer={issuer}&actor={hub.actor}&until={later}"
        page = api("GET", f"/audit?limit=2&after={after}&{query}", role=Role.AUDITOR)
        found += page["items"]
        after = page["next"]
    assert [each["detail"] for each in found] == [{"reason": f"for the {number}. time"} for number in range(3)]
    for nothing in (f"until={before}", f"from={later}", "actor=nobody", "customer=1", "action=hub.move"):
        assert api("GET", f"/audit?action=customer.suspend&{nothing}") == {"items": [], "next": None}
    for wrong in ("from=1764201600", "from=2026-11-23T00:00:00", "until=yesterday"):
        api("GET", f"/audit?{wrong}", None, 422)
    # The ends of what a moment can be, in other zones.
    assert api("GET", "/audit?from=0001-01-01T00:00:00%2B05:00&until=9999-12-31T23:59:59-05:00&limit=1")["items"]
