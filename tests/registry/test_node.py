"""What a node may be called, and where it may bind."""

import pytest

from bothways.registry.node import Binding, node_findings

BINDING = Binding("0.0.0.0", 443, "::1", 15001)  # noqa: S104 - nothing is bound


@pytest.mark.parametrize("name", ["a", "eu-1", "x" * 63, "0"])
def test_a_label_is_a_name(name: str) -> None:
    assert node_findings(name, BINDING, "ppr-embedded") == ()


@pytest.mark.parametrize(
    "name", ["", "-a", "a-", "A", "a.b", "a_b", "a:b", "a b", "a/b", "é", "x" * 64, "a\n", "ppr-embedded"]
)
def test_anything_else_and_the_hubs_own_envoy_is_none(name: str) -> None:
    [finding] = node_findings(name, BINDING, "ppr-embedded")
    assert finding.id == "NODE-NAME"


@pytest.mark.parametrize(
    "binding",
    [
        Binding("eu-1.example", 443, "127.0.0.1", 15001),
        Binding("0.0.0.0", 0, "127.0.0.1", 15001),  # noqa: S104 - as above
        Binding("127.0.0.1", 443, "fe80::1%eth0", 15001),
        Binding("127.0.0.1", 443, "127.0.0.1", 65536),
    ],
)
def test_a_node_binds_addresses_and_ports_alone(binding: Binding) -> None:
    [finding] = node_findings("eu-1", binding, "ppr-embedded")
    assert finding.id == "NODE-ADDRESS"


def test_all_that_is_wrong_is_told_at_once() -> None:
    assert len(node_findings("A", Binding("", 0, "", 0), "")) == 3
