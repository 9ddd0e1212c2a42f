"""How an issued certificate is installed, for what people already run: the same texts as `bothways spoke config`."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bothways.bundle import seal
from bothways.contract.document import Terms
from bothways.errors import NotFound
from bothways.operations.endpoints import show_endpoint
from bothways.operations.hub import Hub, contract
from bothways.spoke.directory import Spoke
from bothways.spoke.snippet import Stack, Wiring, snippet

PLACE = Path(seal.PLACE)
"""Where the texts look for the files: a place to be replaced, the same in all of them."""

_NAMES = {
    Stack.NGINX: "nginx",
    Stack.HAPROXY: "HAProxy",
    Stack.APACHE: "Apache",
    Stack.ENVOY: "Envoy",
    Stack.JAVA: "Java",
    Stack.DOTNET: ".NET",
    Stack.NODE: "Node.js",
    Stack.GO: "Go",
    Stack.PYTHON: "Python",
    Stack.CURL: "curl",
    Stack.OPENSSL: "OpenSSL",
}
_BY_HAND = {Stack.NGINX: seal.NGINX, Stack.CURL: seal.CURL, Stack.OPENSSL: seal.OPENSSL}
_PORT = 8443
_COMMANDS = "bothways spoke install tls.crt\nbothways spoke check\nbothways spoke call GET /connectivity"


@dataclass(frozen=True, slots=True)
class Recipe:
    """Commands, a configuration or a program for one stack."""

    name: str
    text: str


def first_call(terms: Terms) -> str:
    """Return the command that proves the inbound flow."""
    return f"curl --cert tls.crt --key tls.key --cacert ca.crt \\\n  {terms.endpoint}/connectivity"


def recipes(hub: Hub, tsp_id: str) -> tuple[Recipe, ...]:
    """Return what to do on each stack, for this hub, environment and customer, who may have named no server yet."""
    texts = _texts(hub, tsp_id, _NAMES)
    return Recipe("bothways", _COMMANDS), *(Recipe(_NAMES[stack], text.strip()) for stack, text in texts.items())


def configurations(hub: Hub, tsp_id: str) -> dict[str, bytes]:
    """Return the texts that go into a bundle, by their names there: for who has no Bothways."""
    return {_BY_HAND[stack]: text.encode() for stack, text in _texts(hub, tsp_id, _BY_HAND).items()}


def _texts(hub: Hub, tsp_id: str, stacks: Iterable[Stack]) -> dict[Stack, str]:
    spoke = Spoke(PLACE, contract(hub), tsp_id)
    try:
        host, port = (server := show_endpoint(hub, tsp_id)).host, server.port
    except NotFound:
        host, port = "your-server.example", _PORT
    wiring = Wiring(PLACE / "server.crt", PLACE / "server.key", host, port)
    return {stack: snippet(stack, spoke, wiring) for stack in stacks}
