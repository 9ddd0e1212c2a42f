import pytest

from bothways.registry.flow import Flow


def test_there_are_two_flows_by_the_names_that_programs_see() -> None:
    assert [each.value for each in Flow] == ["inbound", "outbound"]


@pytest.mark.parametrize("text", ["", "Inbound", "both", "inbound "])
def test_no_other_text_is_a_flow(text: str) -> None:
    with pytest.raises(ValueError, match="is not a valid Flow"):
        Flow(text)
