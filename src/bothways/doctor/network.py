"""The network: the endpoint's name, who answers at the hub's own ports, the mail server, the OpenID provider."""

import smtplib
import socket
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

from bothways.doctor.report import Area
from bothways.errors import BothwaysError
from bothways.findings import Finding, Level, Step
from bothways.operations.delivery import connect_mail
from bothways.operations.hub import Hub, contract
from bothways.operations.single_sign_on import require_provider

_SECONDS = 5.0
_LOCALHOST = ".localhost"
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what is bound to all is looked at from here


def network_steps(hub: Hub, *, runs: bool) -> Iterator[Step]:
    """Yield what is seen of the network; `runs` is whether the hub does, whose ports are free if not."""
    for url in dict.fromkeys((hub.terms.endpoint, hub.terms.portal)):
        yield _name(urlsplit(url).hostname or "")
    settings = hub.settings
    doors = [
        ("endpoint", hub.terms.endpoint, settings.inbound_address, settings.inbound_port),
        ("portal", hub.terms.portal, settings.portal_address, settings.portal_port),
    ]
    for name, url, address, port in doors:
        yield _door(hub, name, urlsplit(url).hostname or "", (_ANY.get(address, address), port), runs=runs)
    if settings.smtp_host:
        yield _mail(hub)
    if settings.oidc_issuer:
        yield _provider(hub)


def _name(host: str) -> Step:
    if host.endswith(_LOCALHOST):
        return Step(Area.NETWORK, "name", f"{host} is this machine by its name (RFC 6761)")
    try:
        found = sorted({str(each[4][0]) for each in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)})
    except (OSError, UnicodeError) as error:
        message = f"{host} has no address, as this machine's resolver says: {error}"
        hint = "Put it into DNS, with a TTL of a minute or less (R10). If only the outside knows it, this is well."
        warned = Finding("DOCTOR-DNS-01", message, hint, "R10", host, Level.WARNING)
        return Step(Area.NETWORK, "name", f"{host} has no address here", (warned,))
    return Step(Area.NETWORK, "name", f"{host} is {', '.join(found)}")


def _door(hub: Hub, name: str, host: str, place: tuple[str, int], *, runs: bool) -> Step:
    """Look who answers at a port of the hub: the hub, by its own certificate, or somebody else."""
    shown = f"{place[0]}:{place[1]}"
    # The certificate is what matters here; that strangers are refused after it, the canary looks at.
    context = ssl.create_default_context(cadata=contract(hub).trust.server_ca)
    try:
        with (
            socket.create_connection(place, _SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=host) as tls,
        ):
            return Step(Area.NETWORK, name, f"{shown} answers as {host}, {tls.version()}")
    except ConnectionRefusedError:
        if not runs:
            return Step(Area.NETWORK, name, f"{shown} is free")
        message = f"nobody listens at {shown}, where {host} is to be served"
        hint = "Look at what Envoy refuses: bothways hub status; and at run/envoy.log."
        return Step(Area.NETWORK, name, f"{shown} is silent", (Finding("DOCTOR-DOOR-01", message, hint, "R1", shown),))
    except (OSError, ssl.SSLError) as error:
        message = f"what answers at {shown} is not this hub's {name}: {error}"
        hint = f"Find the other program (ss -tlnp), and end it, or give this hub another {name} port in hub.toml."
        found = Finding("DOCTOR-DOOR-02", message, hint, "R1", shown)
        return Step(Area.NETWORK, name, f"{shown} answers as somebody else", (found,))


def _mail(hub: Hub) -> Step:
    shown = f"{hub.settings.smtp_host}:{hub.settings.smtp_port}"
    try:
        with connect_mail(hub) as server:
            server.noop()
    except (OSError, smtplib.SMTPException, BothwaysError) as error:
        hint = "Check smtp in hub.toml: notices of what ends reach nobody by e-mail until then."
        found = Finding("DOCTOR-MAIL-01", f"the mail server does not take letters: {error}", hint, "R5", shown)
        return Step(Area.NETWORK, "mail server", f"{shown} does not serve", (found,))
    return Step(Area.NETWORK, "mail server", f"{shown} lets this hub in")


def _provider(hub: Hub) -> Step:
    issuer = hub.settings.oidc_issuer
    try:
        require_provider(hub)
    except BothwaysError as error:
        found = Finding("DOCTOR-OIDC-01", f"nobody can sign in through {issuer}: {error}", "Mend it.", "R5", issuer)
        return Step(Area.NETWORK, "OpenID provider", f"{issuer} does not answer", (found,))
    return Step(Area.NETWORK, "OpenID provider", f"{issuer} answers as itself")
