"""The API of a hub, asked in this process with a token made on the spot."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.web.conftest import Ask, applied

from bothways.operations.hub import Hub
from bothways.operations.requests import approve_request, submit_request
from bothways.operations.tokens import create_token
from bothways.registry.access import Role
from bothways.store.certificates import StoredCertificate
from bothways.web.portal import portal_app

Api = Callable[..., Any]
OTHER = "87654321"


@pytest.fixture
def certify(hub: Hub, issuer: str, make_csr: Callable[..., bytes]) -> Callable[[], StoredCertificate]:
    """Return a function that makes a certificate for the issuer."""
    return lambda: approve_request(hub, submit_request(hub, issuer, make_csr()).id)


@pytest.fixture
def api(hub: Hub, ask: Ask) -> Api:
    """Return a function that asks as a role, of the issuer if it is a customer's, and expects a status."""
    app, secrets = portal_app(hub, applied), dict[tuple[Role, str | None], str]()

    def send(method: str, path: str, body: object = None, status: int | None = 200, **who: Any) -> Any:
        role = who.get("role", Role.OPERATOR)
        tsp_id = who.get("tsp_id", "12345678") if role.of_customer else None
        if (role, tsp_id) not in secrets:
            secrets[role, tsp_id] = create_token(hub, f"{role.value}-{tsp_id or 'hub'}", role, tsp_id)[1]
        headers = {"Authorization": f"Bearer {secrets[role, tsp_id]}"} | who.get("headers", {})
        answer = ask(app, method, "/api/v1" + path, headers, body)
        assert status in {None, answer.status_code}, answer.text
        return answer if who.get("raw") else answer.json()

    return send
