import pytest
from pydantic import ValidationError

from bothways.web.api.inputs import Reason


def test_a_body_holds_what_it_may_hold_and_nothing_else() -> None:
    assert Reason(reason="why").reason == "why"
    for wrong in ({"reason": ""}, {"reason": "a" * 1001}, {}, {"reason": "why", "more": 1}):
        with pytest.raises(ValidationError):
            Reason.model_validate(wrong)
