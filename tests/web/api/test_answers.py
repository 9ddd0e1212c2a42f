"""What the document says of each answer; that real ones are so, every request of the tests beside this one looks."""

from typing import Any

import pytest
from tests.web.api.operations import OPERATIONS
from tests.web.conforming import errors, operation_at
from tests.web.conftest import Ask, applied

from bothways.operations.hub import Hub
from bothways.web.api.answers import ANSWERS
from bothways.web.api.described import DONE, PREFIX
from bothways.web.portal import portal_app


def test_each_operation_says_what_it_answers_and_what_its_problems_are(hub: Hub, ask: Ask) -> None:
    document = ask(portal_app(hub, applied), "GET", "/openapi.json").json()
    assert set(ANSWERS) == set(OPERATIONS)
    for (method, path), schema in ANSWERS.items():
        responses = document["paths"][PREFIX + path][method.lower()]["responses"]
        [done] = [each for status, each in responses.items() if status in DONE]
        [said] = [each["schema"] for each in done["content"].values()]
        assert said == schema, path
        # An object of which nothing is known says nothing.
        assert said.keys() & {"$ref", "allOf", "properties"} or said["type"] == "string", path
        failures = [each for status, each in responses.items() if status >= "400"]
        assert len(failures) > 10, path
        for each in failures:
            assert each["content"] == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}


def test_every_name_stands_for_a_schema_of_the_document(hub: Hub, ask: Ask) -> None:
    document = ask(portal_app(hub, applied), "GET", "/openapi.json").json()

    def names(part: Any) -> set[str]:
        if isinstance(part, dict):
            own = {part["$ref"].rpartition("/")[2]} if isinstance(part.get("$ref"), str) else set[str]()
            return own.union(*map(names, part.values()))
        return set[str]().union(*map(names, part)) if isinstance(part, list) else set[str]()

    schemas = document["components"]["schemas"]
    assert names(document) <= set(schemas)
    # And none is there that nothing has.
    assert set(schemas) <= names(document)


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"customer": "1"}, '"granted" is a required property'),
        ({"customer": "1", "granted": True, "service": 1}, 'service: 1 is not of type "string"'),
        ({"customer": "1", "granted": True, "service": "s", "in_force": True, "more": 1}, "('more' was unexpected)"),
    ],
)
def test_what_is_not_as_it_is_said_is_found(broken: dict[str, Any], said: str) -> None:
    operation = operation_at("PUT", "/services/tokens/grants/1")
    assert operation == ("PUT", "/services/{name}/grants/{tsp_id}")
    assert any(said in each for each in errors(ANSWERS[operation], {"in_force": True} | broken))
    assert errors(ANSWERS[operation], {"customer": "1", "granted": True, "service": "s", "in_force": True}) == []
