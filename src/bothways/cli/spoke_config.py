"""`bothways spoke config`: configurations and programs for what customers already run."""

import contextlib
from pathlib import Path
from typing import Annotated

from cryptography import x509
from cyclopts import Parameter

from bothways import files
from bothways.cli.addresses import dns_server, listening
from bothways.cli.exit import OK
from bothways.cli.output import HERE, Json, result, tell
from bothways.errors import BothwaysError
from bothways.pki.chain import extension
from bothways.spoke.certificate import read_certificates
from bothways.spoke.directory import open_spoke
from bothways.spoke.sidecar import LOCAL_PORT
from bothways.spoke.snippet import Stack, Wiring, snippet, system_resolvers

_RESOLV_CONF = Path("/etc/resolv.conf")
_ASKS_DNS_ITSELF = {Stack.NGINX, Stack.HAPROXY}


def config(
    stack: Annotated[Stack, Parameter(help="What you run.")],
    *,
    certificate: Annotated[
        Path | None,
        Parameter(help="Your server's certificate. By default the one used last, or server.crt."),
    ] = None,
    key: Annotated[Path | None, Parameter(help="Its private key. By default server.key beside it.")] = None,
    port: Annotated[int, Parameter(help="Where the hub calls: 443 or 8443.")] = 8443,
    app: Annotated[str, Parameter(help="Your application, for the proxies.")] = "http://127.0.0.1:8080",
    local_port: Annotated[int, Parameter(help="For the proxies: where applications call the hub.")] = LOCAL_PORT,
    resolver: Annotated[
        list[str] | None,
        Parameter(
            negative="",
            help="For nginx and HAProxy: a DNS server, IP or IP:PORT, in place of the system's; repeatable.",
        ),
    ] = None,
    directory: Annotated[Path, Parameter(help="The spoke's directory, one for each environment.")] = HERE,
    json: Json = False,
) -> int:
    """Print a complete configuration, or program, for both directions, filled in for this spoke and its contract.

    Each keeps no address for longer than its TTL, trusts the Client CA and never a certificate of the hub itself.
    """
    spoke = open_spoke(directory)
    server = certificate or spoke.server_certificate or directory / "server.crt"
    asked = tuple(dns_server(each) for each in resolver or ())
    if not asked and stack in _ASKS_DNS_ITSELF:
        with contextlib.suppress(OSError):
            asked = system_resolvers(_RESOLV_CONF.read_text(errors="replace"))
    own = key or server.with_suffix(".key")
    wiring = Wiring(server, own, _name(server), listening("0.0.0.0", port).port, app, local_port, asked)  # noqa: S104 - only its port
    text = snippet(stack, spoke, wiring)
    result({"stack": stack.value, "text": text}, text.rstrip("\n"), as_json=json)
    missing = [path for path in (spoke.certificate_file, spoke.key_file, server, own) if not path.is_file()]
    if missing:
        tell(f"Not there yet: {', '.join(map(str, missing))}. Your server's are named by --certificate and --key.")
    return OK


def _name(certificate: Path) -> str:
    """Return the DNS-ID of the server's certificate, or one that everybody sees is none."""
    with contextlib.suppress(BothwaysError):
        own = read_certificates(files.read(certificate, "the server certificate"), str(certificate))[0]
        names = extension(own, x509.SubjectAlternativeName)
        if names and (hosts := names.get_values_for_type(x509.DNSName)):
            return hosts[0]
    return "your-server.example"
