from bothways.web.api.answers import ANSWERS
from bothways.web.api.described import DESCRIBED, describe
from bothways.web.api.things import SCHEMAS


def test_answers_and_problems_are_described_in_place_of_the_frameworks_own() -> None:
    def operation() -> dict[str, object]:
        done: dict[str, object] = {"content": {"application/json": {"schema": {"type": "object"}}}}
        return {"responses": {"200": done, "201": {"content": {}}, "202": {"content": {}}}}

    paths = {"/api/v1/chains": {"post": operation(), "get": operation()}, "/b": {"post": operation()}}
    document = describe({"paths": paths, "components": {"schemas": {"HTTPValidationError": {}, "Other": {}}}})
    assert document["components"]["schemas"] == {"Other": {}, **SCHEMAS}
    made, listed = (document["paths"]["/api/v1/chains"][method] for method in ("post", "get"))
    assert [each["name"] for each in made["parameters"]] == ["Idempotency-Key"]
    assert "parameters" not in listed
    assert listed["responses"]["200"]["content"]["application/json"]["schema"] == ANSWERS["GET", "/chains"]
    assert listed["responses"]["202"] == {"content": {}}
    assert made["responses"]["201"]["headers"].keys() == {"Idempotency-Replayed", "Location"}
    assert made["responses"]["200"]["headers"].keys() == {"Idempotency-Replayed"}
    assert document["paths"]["/b"]["post"] == operation()


def test_every_problem_is_a_problem_of_the_rfc() -> None:
    assert {next(iter(each["content"])) for each in DESCRIBED.values()} == {"application/problem+json"}
