"""A page for each program that customers already run: the text of `bothways spoke config`, and what to do with it."""

import re
from pathlib import Path

from bothways.contract.document import Contract
from bothways.manual.filling import TSP_ID
from bothways.reference import MADE
from bothways.spoke.directory import Spoke
from bothways.spoke.snippet import Stack, Wiring, snippet

_PLACE = Path("/etc/bothways")
_UNRUN = " not run: tests/wire/test_snippets.py runs it beside a hub, and compares it with what is printed here"
_RUN = frozenset({Stack.CURL})
"""What ends by itself, and is run where the page is."""
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----(?:\\n|\n)?", re.DOTALL)
_NAMES = {
    Stack.CURL: ("curl", "sh", "keep it as a script", "curl takes the new files at its next call."),
    Stack.OPENSSL: ("OpenSSL", "sh", "paste the command you need", "OpenSSL takes the new files at its next call."),
    Stack.NGINX: (
        "nginx",
        "nginx",
        "save it and load it as its first lines say",
        "Reload nginx: `bothways spoke renew --hook 'nginx -s reload'`.",
    ),
    Stack.HAPROXY: (
        "HAProxy",
        "haproxy",
        "save it and load it as its first lines say",
        "Reload HAProxy: `bothways spoke renew --hook 'systemctl reload haproxy'`.",
    ),
    Stack.APACHE: (
        "Apache",
        "apache",
        "save it and load it as its first lines say",
        "Make `tls.pem` again and run `apachectl graceful`, as the text says.",
    ),
    Stack.ENVOY: (
        "Envoy",
        "sh",
        "paste it into a shell, which writes Envoy's files, and start Envoy as it says",
        "Envoy takes certificates by itself when they are renamed into place.",
    ),
    Stack.JAVA: (
        "Java",
        "java",
        "compile and run it, or take its parts into your program",
        "Export the keystore again, and restart the program.",
    ),
    Stack.DOTNET: (".NET", "csharp", "take it into your program", "Restart the program."),
    Stack.NODE: (
        "Node.js",
        "javascript",
        "run it with `node`, or take its parts into your program",
        "The program reads the files again by itself.",
    ),
    Stack.GO: (
        "Go",
        "go",
        "run it with `go run`, or take its parts into your program",
        "The program reads the files again by itself.",
    ),
    Stack.PYTHON: (
        "Python",
        "python",
        "run it with `python3`, or take [our client](client.md) in its place",
        "Calls take the new files by themselves; restart the server.",
    ),
}


def stack_pages(contract: Contract) -> dict[str, str]:
    """Return each page by its file's name. The contract's certificates are not shown: each hub has its own."""
    spoke = Spoke(_PLACE, contract, TSP_ID)
    wiring = Wiring(_PLACE / "server.crt", _PLACE / "server.key", "bank.example")
    return {
        f"howto-{stack.value}.md": _page(stack, without_certificates(snippet(stack, spoke, wiring))) for stack in _NAMES
    }


def without_certificates(text: str) -> str:
    """Return the text of a program as its page shows it, where it holds certificates of the contract."""
    return _PEM.sub("(CERTIFICATES OF THE CONTRACT)", text)


def _page(stack: Stack, text: str) -> str:
    name, language, use, renewed = _NAMES[stack]
    return f"""# With {name}

Mutual TLS with the hub by {name}, in the directions that it can do. {MADE}

You need a spoke's directory with an installed certificate ([tutorial](tutorial-customer.md)), here `{_PLACE}`, and
for the hub's calls to you a certificate of your own server. Let the command fill in your own paths:

```sh
bothways spoke config {stack.value} --directory {_PLACE} --certificate {_PLACE}/server.crt --key {_PLACE}/server.key
```

It prints the following; {use}.

```{language}{_UNRUN if language == "sh" and stack not in _RUN else ""}
{text.strip()}
```

## After a renewal

{renewed} What all of them have in common, and which of them we run in tests, is in [what you already run](stacks.md).

## Is it right?

```sh
bothways spoke check --directory {_PLACE}
```
"""
