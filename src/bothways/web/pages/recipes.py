"""How an issued certificate is installed, for what people already run: the same texts as `bothways spoke config`."""

from dataclasses import dataclass
from pathlib import Path

from bothways.contract.document import Contract, Terms
from bothways.spoke.directory import Spoke
from bothways.spoke.snippet import Stack, Wiring, snippet

PLACE = Path("/etc/bothways")
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
_COMMANDS = "bothways spoke install tls.crt\nbothways spoke check\nbothways spoke call GET /connectivity"


@dataclass(frozen=True, slots=True)
class Recipe:
    """Commands, a configuration or a program for one stack."""

    name: str
    text: str


def first_call(terms: Terms) -> str:
    """Return the command that proves the inbound flow."""
    return f"curl --cert tls.crt --key tls.key --cacert server-ca.crt {terms.endpoint}/connectivity"


def recipes(contract: Contract, tsp_id: str, server_name: str) -> tuple[Recipe, ...]:
    """Return what to do on each stack, for this hub, environment and customer, whose server has this name."""
    spoke = Spoke(PLACE, contract, tsp_id)
    wiring = Wiring(PLACE / "server.crt", PLACE / "server.key", server_name)
    texts = (Recipe(name, snippet(stack, spoke, wiring).strip()) for stack, name in _NAMES.items())
    return Recipe("bothways", _COMMANDS), *texts
