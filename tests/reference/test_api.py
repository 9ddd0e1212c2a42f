from bothways.reference.api import api_page


def test_an_operation_is_shown_under_its_noun_with_what_it_takes_and_answers() -> None:
    operation = {
        "tags": ["keys"],
        "summary": "Ban",
        "description": "Ban a key | for good.",
        "parameters": [{"name": "limit", "in": "query"}, {"name": "If-Match", "in": "header"}],
        "requestBody": {},
        "responses": {"201": {}, "422": {}},
    }
    page = api_page(
        {
            "paths": {
                "/api/v1/keys": {"post": operation},
                "/contract.toml": {"get": {"summary": "Read", "responses": {"200": {}}}},
            }
        }
    )
    assert "## keys\n" in page
    assert "| `POST /api/v1/keys` | Ban a key \\| for good. | `limit`, a body | 201 |" in page
    assert "## contract.toml\n" in page
