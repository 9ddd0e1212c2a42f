import pytest
from pydantic import ValidationError

from bothways.web.api.inputs import Body, Flag, Reason, Whole


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
