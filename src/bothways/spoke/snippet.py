"""Complete configurations and programs for what customers already run, filled in for one spoke. Text only.

The texts stand in `snippets/`, with `@name@` where a value goes; Envoy's is made by the sidecar's builders.
"""

import ipaddress
import json
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from bothways.errors import Unusable
from bothways.spoke.directory import Spoke
from bothways.spoke.pair import token_in_use
from bothways.spoke.sidecar import HTTPS, LOCAL_PORT, Callbacks, Sidecar, application, bootstrap
from bothways.spoke.sidecar_tls import CLIENT_PAIR, SERVER_PAIR, client_ca_trust, hub_trust, pair_secret
from bothways.xds.state import Address

_SNIPPETS = Path(__file__).parent / "snippets"
_PLACE = re.compile(r"@([a-z_]+)@")
# What means nothing to any of the languages that a path is written into.
_PLAIN = re.compile(r"[A-Za-z0-9._/+=:,-]+")


class Stack(StrEnum):
    """What a snippet is for. The value is what the command takes."""

    NGINX = "nginx"
    HAPROXY = "haproxy"
    APACHE = "apache"
    ENVOY = "envoy"
    JAVA = "java"
    DOTNET = "dotnet"
    NODE = "node"
    GO = "go"
    PYTHON = "python"
    CURL = "curl"
    OPENSSL = "openssl"


_COMMANDS = (Stack.CURL, Stack.OPENSSL)
_BY_OPENSSL = (*_COMMANDS, Stack.NGINX, Stack.HAPROXY, Stack.PYTHON)
"""Those that reach a key in a PKCS#11 token: they load `tls.key` by OpenSSL 3, as it is. Apache is built on OpenSSL
too, but mod_proxy looks for keys itself in the file of its certificate, and knows none but whole ones."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """What a spoke's directory does not say: the customer's own server, its application, and DNS servers.

    `server_name` is the server's DNS-ID; `application` an `http://HOST:PORT`; `resolvers` are asked for the hub's name
    by those programs that ask DNS themselves.
    """

    server_certificate: Path
    server_key: Path
    server_name: str
    port: int = 8443
    application: str = "http://127.0.0.1:8080"
    local_port: int = LOCAL_PORT
    resolvers: tuple[Address, ...] = ()


def snippet(stack: Stack, spoke: Spoke, wiring: Wiring) -> str:
    """Return the text for this program. Raises `Unusable` if a path cannot be written into it."""
    for path in (spoke.directory, wiring.server_certificate, wiring.server_key):
        if not _PLAIN.fullmatch(str(path.absolute())):
            raise Unusable(
                f"{path.absolute()} has characters that mean something to some programs. "
                "Use a path of letters, digits and ._/+=:,- alone"
            )
    before = _for_token(stack, spoke)
    if stack is Stack.ENVOY:
        return _envoy(spoke, wiring)
    values = _values(spoke, wiring)
    text = (_SNIPPETS / f"{stack.value}.template").read_text(encoding="utf-8")
    return before + _PLACE.sub(lambda found: values[found[1]], text)


def _for_token(stack: Stack, spoke: Spoke) -> str:
    """Return what goes before everything else if the key lies in a token. Raises `Unusable` if it is not reached."""
    uri = token_in_use(spoke)
    if uri is None:
        return ""
    if stack not in _BY_OPENSSL:
        raise Unusable(
            f"the key {uri.object} lies in the token {uri.token}, and {stack.value} does not reach it by itself. Let a "
            f"proxy on this machine hold the connection, and call that: bothways spoke config nginx --directory "
            f"{spoke.directory}; or haproxy"
        )
    conf = spoke.openssl_conf.absolute()
    lines = [
        f"# The key {uri.object} lies in the token {uri.token}. OpenSSL 3 reaches it by pkcs11-provider",
        f"# (Debian: apt install pkcs11-provider) and {conf};",
        "# the program that uses it has to be allowed to use the token, and to read the PIN.",
    ]
    if stack in _COMMANDS:
        return "\n".join([*lines, f"export OPENSSL_CONF={conf}", "", ""])
    where = f"Environment=OPENSSL_CONF={conf}"
    if stack is Stack.PYTHON:
        return "\n".join([*lines, f"# Start it with: OPENSSL_CONF={conf}", ""])
    edit = f"# systemctl edit {stack.value}, and then restart it:"
    return "\n".join([*lines, edit, "#   [Service]", f"#   {where}", "#", ""])


def system_resolvers(resolv_conf: str) -> tuple[Address, ...]:
    """Return the DNS servers that the text of `/etc/resolv.conf` names (resolv.conf(5))."""
    found = []
    for line in resolv_conf.splitlines():
        match line.split():
            case ["nameserver", address, *_]:
                # Without the scope of a link-local address, which other programs do not know.
                try:
                    found.append(Address(str(ipaddress.ip_address(address.partition("%")[0])), 53))
                except ValueError:
                    continue
            case _:
                continue
    return tuple(found)


def _values(spoke: Spoke, wiring: Wiring) -> dict[str, str]:
    terms = spoke.contract.terms
    endpoint = urlsplit(terms.endpoint)
    directory = spoke.directory.absolute()
    resolvers = wiring.resolvers or (Address("127.0.0.53", 53),)
    return {
        "directory": str(directory),
        "certificate": str(spoke.certificate_file.absolute()),
        "key": str(spoke.key_file.absolute()),
        "ca": str(directory / "ca.crt"),
        "client_ca": str(directory / "client-ca.crt"),
        "customer": spoke.tsp_id,
        "environment": terms.environment.value,
        "hub": terms.hub,
        "endpoint": terms.endpoint,
        "authority": endpoint.netloc,
        "host": endpoint.hostname or "",
        "port": str(endpoint.port or HTTPS),
        "server_certificate": str(wiring.server_certificate.absolute()),
        "server_key": str(wiring.server_key.absolute()),
        "server_name": wiring.server_name,
        "listen_port": str(wiring.port),
        "local_port": str(wiring.local_port),
        "app": str(application(wiring.application)),
        "nginx_resolver": " ".join(map(str, resolvers)),
        "haproxy_resolvers": "\n".join(f"    nameserver dns{place} {each}" for place, each in enumerate(resolvers, 1)),
    }


def _envoy(spoke: Spoke, wiring: Wiring) -> str:
    """Return shell commands that write Envoy's files: it reads certificates from files that it watches."""
    place = spoke.directory.absolute() / "envoy"
    callbacks = Callbacks(Address("0.0.0.0", wiring.port), application(wiring.application))  # noqa: S104 - the hub calls from outside
    sidecar = Sidecar(spoke.contract, place, Address("127.0.0.1", wiring.local_port), callbacks)
    server = (wiring.server_certificate.absolute(), wiring.server_key.absolute())
    resources = [
        pair_secret(CLIENT_PAIR, spoke.certificate_file.absolute(), spoke.key_file.absolute()),
        pair_secret(SERVER_PAIR, *server),
        hub_trust(spoke.contract, sidecar.hub.host),
        client_ca_trust(spoke.contract),
    ]
    written = {f"{each['resources'][0]['name']}.json": each for each in resources} | {"envoy.json": bootstrap(sidecar)}
    lines = [
        f"# Envoy as both ends of the connection with {spoke.contract.terms.hub}, customer {spoke.tsp_id}.",
        "# Paste this into a shell: it writes Envoy's files, and says how to start it. Renewed certificates are taken",
        "# when their files are renamed into place; after a new contract, paste again. Or: bothways spoke run",
        "(",
        "set -eu",
        "umask 077",
        f"mkdir -p {place}",
    ]
    for name, content in written.items():
        lines += [f"cat > {place}/.{name} << 'END_OF_FILE'", json.dumps(content, indent=1), "END_OF_FILE"]
        # In one step, for an Envoy that runs looks for renamed files.
        lines.append(f"mv {place}/.{name} {place}/{name}")
    lines += [f"echo 'Now run: envoy --disable-hot-restart -c {place}/envoy.json'", ")"]
    return "\n".join([*lines, ""])
