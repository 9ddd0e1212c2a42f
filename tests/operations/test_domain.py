import pytest

from bothways.operations.domain import require_domain


@pytest.mark.parametrize("name", ["hub.example", "ppr.hub.localhost", "a" * 48])
def test_a_domain_is_taken(name: str) -> None:
    require_domain(name)


@pytest.mark.parametrize(
    "name", ["", "Hub.example", "hub_1.example", "-hub.example", "hub..example", "a" * 49, "hüb.example"]
)
def test_what_is_none_is_said(name: str) -> None:
    with pytest.raises(ValueError, match="is no domain"):
        require_domain(name)
