"""What the document of the interface says, and whether the API does what it says, asked by a program (schemathesis)."""

import itertools
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import schemathesis
from bench.portal_site import running
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from starlette.types import ASGIApp, Receive, Scope, Send
from tests.web.api.operations import OPERATIONS, make_things
from tests.web.conftest import Ask, applied

from bothways.errors import NotAuthorized
from bothways.operations.hub import Hub
from bothways.operations.tokens import authenticate, create_token
from bothways.registry.access import Role
from bothways.web.portal import portal_app

# Where the rules say more than any schema can, and why: their findings are a 422.
_PEM = "PEM and DER inside a text are parsed, and their signatures checked"
_PRINTABLE = "no schema tells characters that people can see, of all of Unicode, from those that they cannot"
_URL = "a URL has a host of valid labels, a port of those agreed, and no credentials: more than a regular expression"
RULED = {
    "POST /api/v1/audit/compare": "an export is lines of JSON that the audit has to have had",
    "POST /api/v1/bundles": "a bundle is a zip with a manifest and a signature, in base64",
    "POST /api/v1/chains": _PEM,
    "POST /api/v1/customers": _PRINTABLE,
    "POST /api/v1/customers/{tsp_id}/contacts": _URL,
    "GET /api/v1/customers/{tsp_id}/openssl": _PRINTABLE,
    "POST /api/v1/customers/{tsp_id}/outbound-credentials": _PRINTABLE,
    "POST /api/v1/customers/{tsp_id}/outbound-credentials/install": _PEM,
    "PUT /api/v1/customers/{tsp_id}/endpoint": _URL,
    "POST /api/v1/endpoints": _URL,
    "POST /api/v1/hub/contacts": _URL,
    "POST /api/v1/keys/banned": _PEM,
    "POST /api/v1/people": _PRINTABLE,
    "POST /api/v1/requests": _PEM,
    "POST /api/v1/services": "a prefix may not overlap another service's, and only https has a CA",
}
# Whose answer depends on what was read before (If-Match), which no schema tells (RFC 9110 section 13.1.1): 412.
READ_FIRST = (
    "DELETE /api/v1/customers/{tsp_id}",
    "POST /api/v1/certificates/{serial}/revoke",
    "POST /api/v1/chains/{number}/endorse",
    "POST /api/v1/chains/{number}/refuse",
    "POST /api/v1/chains/{number}/withdraw",
    "POST /api/v1/customers/{tsp_id}/resume",
    "POST /api/v1/customers/{tsp_id}/suspend",
    "POST /api/v1/endpoints/{number}/approve",
    "POST /api/v1/endpoints/{number}/refuse",
    "POST /api/v1/people/{number}/confirm",
    "POST /api/v1/people/{number}/disable",
    "POST /api/v1/people/{number}/invite",
    "POST /api/v1/people/{number}/refuse",
    "POST /api/v1/requests/{number}/approve",
    "POST /api/v1/requests/{number}/refuse",
    "POST /api/v1/requests/{number}/withdraw",
    "POST /api/v1/tokens/{number}/revoke",
    "PUT /api/v1/customers/{tsp_id}/endpoint",
)
# Wants one of two headers, If-Match or If-None-Match, which no document of OpenAPI can say: 428 without both.
EITHER = "PUT /api/v1/customers/{tsp_id}/endpoint"
# As schemathesis has it.
ACCEPTED = ("2xx", "401", "403", "404", "409", "429", "5xx")


def widened(operation: str) -> dict[str, Any]:
    """Return what of an operation is no mistake of the document, besides what is none of any."""
    more = {"412": READ_FIRST, "422": RULED, "428": (EITHER,)}
    statuses = [*ACCEPTED, *(status for status, named in more.items() if operation in named)]
    return {"include-name": operation, "checks": {"positive_data_acceptance": {"expected-statuses": statuses}}}


class Lasting:
    """The application, asked with a token that lasts, and with keys of which none comes twice.

    Whoever tries everything revokes the own token, after which all is 401; and what was asked under a key is no other.
    """

    def __init__(self, hub: Hub, app: ASGIApp) -> None:
        self.hub, self.app, self.asked = hub, app, 0
        self.token = self.living = create_token(hub, "schemathesis", Role.OPERATOR)[1]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked += 1
        if scope["type"] == "http":
            scope["headers"] = [(name, self._header(name, value)) for name, value in scope["headers"]]
        await self.app(scope, receive, send)

    def _header(self, name: bytes, value: bytes) -> bytes:
        if name == b"authorization" and value == f"Bearer {self.token}".encode():
            with suppress(NotAuthorized):
                authenticate(self.hub, self.living)
                return f"Bearer {self.living}".encode()
            self.living = create_token(self.hub, f"schemathesis-{self.asked}", Role.OPERATOR)[1]
            return f"Bearer {self.living}".encode()
        return value + f"-{self.asked}".encode() if name == b"idempotency-key" and 0 < len(value) < 200 else value


def test_every_operation_is_described_and_asks_for_a_token(hub: Hub, ask: Ask) -> None:
    document = ask(portal_app(hub, applied), "GET", "/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    found = {
        (method.upper(), path.removeprefix("/api/v1")): each
        for path, methods in document["paths"].items()
        if path.startswith("/api/v1/")
        for method, each in methods.items()
    }
    # Who adds an operation says in that table who may not do it.
    assert set(found) == set(OPERATIONS)
    assert {*RULED, *READ_FIRST} <= {f"{method} /api/v1{path}" for method, path in found}
    for (method, path), each in found.items():
        assert each["description"], path
        assert each["security"] == [{"HTTPBearer": []}], path
        assert {"401", "403", "404", "409", "422", "429"} <= set(each["responses"]), path
        taken = {one["name"].lower() for one in each.get("parameters", ())}
        assert ("if-match" in taken) is (f"{method} /api/v1{path}" in READ_FIRST), path
        keyed = "idempotency-key" in taken
        assert keyed is (method != "GET"), path


# Requests of each kind to each operation: with one, the whole takes a quarter of a minute.
# Of what is as long as a body may be, it is told that it is long to print.
@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")
@pytest.mark.timeout(900)
@pytest.mark.parametrize("examples", [1, pytest.param(20, marks=pytest.mark.soak)])
def test_a_program_that_tries_everything_finds_nothing(
    hub: Hub, make_csr: Callable[..., bytes], make_ca: Callable[..., tuple[Any, Any]], examples: int
) -> None:
    # Each look at the clock is seven seconds later, so that what is limited by time is no limit here.
    begin, ticks = hub.now(), itertools.count()
    hub = replace(hub, now=lambda: begin + timedelta(seconds=7 * next(ticks)))
    make_things(hub, make_csr, make_ca)
    app = Lasting(hub, portal_app(hub, applied, lambda: running(hub), lambda _: b""))
    config = SchemathesisConfig.from_dict(
        {
            "seed": 7,
            "continue-on-failure": True,
            "headers": {"Authorization": f"Bearer {app.token}"},
            "generation": {"max-examples": examples, "deterministic": True, "database": "none"},
            "checks": {"positive_data_acceptance": {"expected-statuses": [*ACCEPTED]}},
            "phases": {
                "stateful": {"generation": {"max-examples": 5 * examples}},
                # The router says for all alike which methods a path has.
                "coverage": {"unexpected-methods": ["PATCH"]} if examples == 1 else {},
            },
            "operations": [
                {"exclude-path-regex": "^/api/v1/", "enabled": False},
                *(widened(each) for each in sorted({*RULED, *READ_FIRST})),
            ],
        }
    )
    schema = schemathesis.openapi.from_asgi("/openapi.json", app, config=config)
    answered, followed, found = Counter[int](), 0, set[str]()
    for event in from_schema(schema).execute():
        assert not isinstance(event, events.FatalError | events.NonFatalError), getattr(event, "info", event)
        if isinstance(event, events.ScenarioFinished):
            record = event.recorder
            answered.update(int(each.response.status_code) for each in record.interactions.values() if each.response)
            followed += sum(each.transition is not None for each in record.cases.values())
            for name, checks in record.checks.items():
                label = record.cases[name].value.operation.label
                failures = [each.failure_info.failure for each in checks if each.failure_info is not None]
                found |= {f"{label}: {each.title}: {each.message}" for each in failures}
    assert sorted(found) == []
    # What is refused as 401 alone, or answered to nobody's question, would find nothing either.
    assert answered[200] + answered[201] > 250
    assert followed > 0
