from typing import Any

from tests.web.api.conftest import Api

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
