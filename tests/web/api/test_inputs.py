import jsonschema_rs
import pytest
from pydantic import ValidationError

from bothways.operations import tokens
from bothways.registry import customer, service
from bothways.web.api.customers import NewCustomer
from bothways.web.api.inputs import Body, Flag, Reason, Whole
from bothways.web.api.people import NewToken
from bothways.web.api.services import NewService


def test_a_body_holds_what_it_may_hold_and_nothing_else() -> None:
    assert Reason(reason="why").reason == "why"
    for wrong in ({"reason": ""}, {"reason": "a" * 1001}, {}, {"reason": "why", "more": 1}):
        with pytest.raises(ValidationError):
            Reason.model_validate(wrong)


@pytest.mark.parametrize(("flag", "whole"), [("true", 7), (1, 7), (True, "7"), (True, True), (True, 7.5)])
def test_flags_and_numbers_are_nothing_that_might_mean_one(flag: object, whole: object) -> None:
    class Both(Body):
        flag: Flag
        whole: Whole

    for seven in (7, 7.0):
        assert Both.model_validate({"flag": True, "whole": seven}) == Both(flag=True, whole=7)
    with pytest.raises(ValidationError):
        Both.model_validate({"flag": flag, "whole": whole})


@pytest.mark.parametrize("body", [NewCustomer, NewService, NewToken])
def test_what_the_document_says_of_a_value_is_what_the_rules_say(body: type[Body]) -> None:
    fields = body.model_json_schema()["properties"]
    rules = {
        (NewCustomer, "customer"): customer._TSP_ID,
        (NewService, "name"): service._NAME,
        (NewService, "prefix"): service._PREFIX,
        (NewToken, "name"): tokens._NAME,
    }
    said = {name: each["pattern"] for name, each in fields.items() if "pattern" in each}
    assert said == {name: f"^{rule.pattern}$" for (whose, name), rule in rules.items() if whose is body}


def test_a_customer_goes_with_the_role_of_one_and_scopes_with_what_it_may() -> None:
    schema = jsonschema_rs.validator_for(NewToken.model_json_schema())
    whose = {"name": "ci", "customer": "12345678"}
    assert schema.is_valid(whose | {"role": "customer-member", "scopes": ["probe"]})
    assert schema.is_valid({"name": "ci", "role": "auditor"})
    assert not schema.is_valid(whose | {"role": "auditor"})
    assert not schema.is_valid({"name": "ci", "role": "customer-member"})
    assert not schema.is_valid(whose | {"role": "customer-member", "scopes": ["audit-read"]})
