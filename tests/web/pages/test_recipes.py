"""There is a recipe for each stack that the command line knows, the same text, for this hub and customer."""

from bothways.bundle import seal
from bothways.operations.endpoints import set_endpoint
from bothways.operations.hub import Hub, contract
from bothways.spoke.directory import Spoke
from bothways.spoke.snippet import Stack, Wiring, snippet
from bothways.web.pages.recipes import PLACE, configurations, first_call, recipes


def printed(hub: Hub, stack: Stack, host: str, port: int) -> str:
    wiring = Wiring(PLACE / "server.crt", PLACE / "server.key", host, port)
    return snippet(stack, Spoke(PLACE, contract(hub), "12345678"), wiring)


def test_each_stack_has_the_text_of_the_command(hub: Hub, issuer: str) -> None:
    set_endpoint(hub, issuer, "https://callbacks.bank.example.com")
    made = recipes(hub, issuer)
    assert len(made) == 1 + len(Stack)
    for stack in Stack:
        text = printed(hub, stack, "callbacks.bank.example.com", 443)
        assert text.strip() in [each.text for each in made]


def test_a_bundle_brings_those_of_nginx_curl_and_openssl(hub: Hub, issuer: str) -> None:
    made = configurations(hub, issuer)
    assert made.keys() == {seal.NGINX, seal.CURL, seal.OPENSSL}
    assert made[seal.NGINX].decode() == printed(hub, Stack.NGINX, "your-server.example", 8443)


def test_the_first_call_is_to_this_hub(hub: Hub) -> None:
    assert first_call(hub.terms).endswith(f"{hub.terms.endpoint}/connectivity")
