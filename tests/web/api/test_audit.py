import json
from typing import Any

from tests.web.api.conftest import Api

from bothways.operations.audit_head import read_head
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
