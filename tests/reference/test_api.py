from typing import Any

from bothways.reference.api import api_page


def _said(schema: dict[str, Any]) -> dict[str, Any]:
    return {"200": {"content": {"application/json": {"schema": schema}}}}


def test_an_operation_is_shown_under_its_noun_with_what_it_takes_and_answers() -> None:
    key, applied = {"$ref": "#/components/schemas/Key"}, {"$ref": "#/components/schemas/Applied"}
    schema = {"allOf": [{"anyOf": [key, {"properties": {"a": key}}]}, applied]}
    listed = {"properties": {"items": {"type": "array", "items": key}}}
    operation = {
        "tags": ["keys"],
        "summary": "Ban",
        "description": "Ban a key | for good.",
        "parameters": [{"name": "limit", "in": "query"}, {"name": "If-Match", "in": "header"}],
        "requestBody": {},
        "responses": {"201": _said(schema)["200"], "422": {}},
    }
    page = api_page(
        {
            "paths": {
                "/api/v1/keys": {"post": operation, "get": operation | {"responses": _said(listed)}},
                "/contract.toml": {"get": {"summary": "Read", "responses": {"200": {}}}},
            }
        }
    )
    assert "## keys\n" in page
    assert "| `POST /api/v1/keys` | Ban a key \\| for good. | `limit`, a body | 201: `Key` + `Applied` |" in page
    assert "a body | 200: a page of `Key` |" in page
    assert "## contract.toml\n" in page
