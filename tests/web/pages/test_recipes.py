"""There is a recipe for each stack that the command line knows, the same text, for this hub and customer."""

from bothways.operations.hub import Hub, contract
from bothways.spoke.directory import Spoke
from bothways.spoke.snippet import Stack, Wiring, snippet
from bothways.web.pages.recipes import PLACE, first_call, recipes


def test_each_stack_has_the_text_of_the_command(hub: Hub) -> None:
    made = recipes(contract(hub), "12345678", "callbacks.bank.example")
    assert len(made) == 1 + len(Stack)
    spoke = Spoke(PLACE, contract(hub), "12345678")
    wiring = Wiring(PLACE / "server.crt", PLACE / "server.key", "callbacks.bank.example")
    for stack in Stack:
        assert snippet(stack, spoke, wiring).strip() in [each.text for each in made]


def test_the_first_call_is_to_this_hub(hub: Hub) -> None:
    assert first_call(hub.terms).endswith(f"{hub.terms.endpoint}/connectivity")
