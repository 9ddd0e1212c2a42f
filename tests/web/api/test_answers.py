"""What the document says of the main things is what they look like, one of everything there."""

from collections.abc import Callable
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator
from tests.web.api.conftest import Api
from tests.web.api.operations import Things, make_things
from tests.web.conftest import Ask, applied

from bothways.operations.endpoints import set_endpoint
from bothways.operations.hub import Hub
from bothways.web.api.answers import ANSWERS
from bothways.web.portal import portal_app


@pytest.fixture
def things(hub: Hub, make_csr: Callable[..., bytes], make_ca: Callable[..., tuple[Any, Any]]) -> Things:
    return make_things(hub, make_csr, make_ca)


def test_each_thing_is_as_the_document_says(hub: Hub, api: Api, ask: Ask, things: Things) -> None:
    document = ask(portal_app(hub, applied), "GET", "/openapi.json").json()
    number = things.values["tsp_id"]
    set_endpoint(hub, number, "https://callbacks.bank.example:8443/hub")
    for path in ANSWERS:
        said = document["paths"][f"/api/v1{path}"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        answer = api("GET", things.path(path))
        validator = Draft202012Validator(said | {"components": document["components"]})
        assert [each.message for each in validator.iter_errors(answer)] == [], path
        assert answer.get("items", [answer]), path
        # What is not there is missed: the schema is more than "an object".
        item = answer["items"][0] if "items" in answer else answer
        first = next(iter(item))
        broken = {key: value for key, value in item.items() if key != first}
        wrong = {**answer, "items": [broken]} if "items" in answer else broken
        assert not validator.is_valid(wrong), path
