from bothways.web.api.answers import SCHEMAS
from bothways.web.api.described import DESCRIBED, PROBLEM, PROPOSED, describe


def test_problems_are_described_in_place_of_the_frameworks_own() -> None:
    operation: dict[str, object] = {"security": []}
    paths = {"/api/v1/a": {"post": dict(operation), "get": dict(operation)}, "/b": {"post": dict(operation)}}
    document = describe({"paths": paths, "components": {"schemas": {"HTTPValidationError": {}, "Other": {}}}})
    assert document["components"]["schemas"] == {"Other": {}, "Problem": PROBLEM, "Proposed": PROPOSED, **SCHEMAS}
    assert [each["name"] for each in document["paths"]["/api/v1/a"]["post"]["parameters"]] == ["Idempotency-Key"]
    assert "parameters" not in document["paths"]["/api/v1/a"]["get"]
    assert "parameters" not in document["paths"]["/b"]["post"]


def test_every_problem_is_a_problem_of_the_rfc() -> None:
    assert {next(iter(each["content"])) for each in DESCRIBED.values()} == {"application/problem+json"}
