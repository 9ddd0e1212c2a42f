"""The way to the hub: TCP, TLS, whether it is the hub, whether it lets us in, and what it says of both flows."""

import asyncio
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509

from bothways import files
from bothways.connectivity.evidence import Admission, Caller, Outcome, TcpSeen, VersionSeen
from bothways.connectivity.verdicts import path_findings
from bothways.contract.document import PUBLIC
from bothways.errors import BothwaysError, NotAuthorized, Unreachable
from bothways.findings import Finding, Level, errors
from bothways.pki.hello import TLS_1_2, TLS_1_3
from bothways.spoke import client as clients
from bothways.spoke.addresses import Found
from bothways.spoke.check import through_envoy
from bothways.spoke.check.hub_answer import access_findings, contract_findings, earlier_findings, spoken
from bothways.spoke.check.report import Area, Say, Step
from bothways.spoke.check.through_envoy import ENCRYPTED, OUT_OF_REACH, Envoy, EnvoySeen, Look, Verdict, look_through
from bothways.spoke.directory import Spoke
from bothways.spoke.knock import Chain, Target, knock, presented, tcp, version
from bothways.spoke.new_contract import stating
from bothways.spoke.pair import token_in_use
from bothways.spoke.passphrase import is_encrypted
from bothways.spoke.platform_store import server_ca
from bothways.spoke.resolver import Question
from bothways.spoke.spoke_line import tls_context

PATH = "/connectivity"
"""What is asked for: the first call of every customer."""

CLOCK_WARNING, CLOCK_ERROR = timedelta(minutes=1), timedelta(minutes=5)
"""How far the clock may be from the hub's: certificates are backdated by five minutes."""

_CITED = "R1; RFC 8446 section 4.4"
_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Inbound:
    """What came of the call: whether it was let in, and the answer of `/connectivity` as a JSON object, if any."""

    let_in: bool = False
    answer: Mapping[str, Any] | None = None


def asked_again(spoke: Spoke, question: Question) -> Mapping[str, Any] | None:
    """Return the answer of `/connectivity` as it is now: a probe may have established a flow meanwhile."""
    try:
        return spoken(_asked(spoke, question))
    except BothwaysError:
        return None


def hub_address(spoke: Spoke) -> tuple[str, int]:
    """Return host and port of the hub's endpoint."""
    parts = urlsplit(spoke.contract.terms.endpoint)
    return parts.hostname or "", parts.port or 443


async def look_at_hub(spoke: Spoke, found: Found, question: Question, say: Say, envoy: Envoy | None) -> Inbound:
    """Look at each step of the way to the hub, as far as one gets; `say` is told each. An `envoy` looks as well."""
    host, port = hub_address(spoke)
    seen = await asyncio.gather(*(tcp(each, port) for each in found.ttls))
    where = "; ".join(f"{each.address} {each.failure or 'connected'}" for each in seen)
    say(Step(Area.INBOUND, "connection", where, tuple(_tcp_findings(seen, host, port))))
    reached = next((each.address for each in seen if not each.failure), None)
    if reached is None:
        return Inbound()
    target = Target(reached, port, host, PATH)
    (chain, failure), *versions = await asyncio.gather(
        presented(target, _nobody()), version(target, TLS_1_2), version(target, TLS_1_3)
    )
    offered = ", ".join(each.version for each in versions if each.offered) or "neither TLS 1.2 nor 1.3"
    say(Step(Area.INBOUND, "TLS", offered, tuple(_version_findings(versions, host, port))))
    if not any(each.offered for each in versions):
        return Inbound()
    wrong = tuple(hub_findings(chain, failure, spoke, host, port, datetime.now(UTC)))
    say(Step(Area.INBOUND, "hub's certificate", _names(chain) or failure, wrong))
    # Whoever is not the hub gets neither a request nor a certificate of ours.
    if wrong:
        return Inbound()
    try:
        context = await asyncio.to_thread(tls_context, spoke)
    except BothwaysError as error:
        # What is wrong with the files is said where they are looked at; the way to a token is tried here alone.
        where = str(spoke.key_file)
        hint = "Until it is mended, look through the proxy that holds the connection."
        wrong = (
            (Finding("SPOKE-TOKEN", str(error).removesuffix("."), hint, "R1", where),) if token_in_use(spoke) else ()
        )
        say(Step(Area.INBOUND, "call", f"not made: {error}", wrong, made=False))
        return Inbound()
    inbound, judged = await asyncio.gather(
        _call(spoke, target, context, question, say), _through_envoy(spoke, target, envoy)
    )
    disagreement = through_envoy.hub_findings(judged, f"{host}:{port}", let_in=inbound.let_in)
    say(through_envoy.step(Area.INBOUND, judged, disagreement))
    return inbound


async def _through_envoy(spoke: Spoke, target: Target, envoy: Envoy | None) -> EnvoySeen:
    pair = (spoke.certificate_file, spoke.key_file)
    if envoy and token_in_use(spoke):
        return EnvoySeen(Verdict.UNASKED, OUT_OF_REACH)
    if envoy and is_encrypted(files.read(spoke.key_file, "the private key")):
        return EnvoySeen(Verdict.UNASKED, ENCRYPTED)
    return await look_through(envoy, Look(target, server_ca(spoke.contract), pair))


async def _call(spoke: Spoke, target: Target, context: ssl.SSLContext, question: Question, say: Say) -> Inbound:
    try:
        answer = await asyncio.to_thread(_asked, spoke, question)
    except (NotAuthorized, Unreachable) as error:
        admission = await knock(target, Caller.CURRENT, context, lambda _: True)
        finding = _refusal(admission, error, f"{target.host}:{target.port}")
        say(Step(Area.INBOUND, "our certificate", str(admission), (finding,)))
        return Inbound()
    say(Step(Area.INBOUND, "our certificate", f"let in over {answer.tls_version} in {answer.milliseconds:.0f} ms"))
    say(Step(Area.INBOUND, "clock", *_clock(answer.headers.get("date", ""), datetime.now(UTC))))
    document = spoken(answer)
    told = (
        *access_findings(answer, document, spoke),
        *contract_findings(document, spoke),
        *earlier_findings(document, spoke.contract.terms.endpoint),
    )
    say(Step(Area.INBOUND, PATH, f"answered {answer.status}", told))
    return Inbound(True, document)


def _asked(spoke: Spoke, question: Question) -> clients.Answer:
    with clients.open_client(spoke, question.ask) as client:
        return clients.call(client, "GET", stating(spoke, PATH))


def _tcp_findings(seen: list[TcpSeen], host: str, port: int) -> Iterator[Finding]:
    some = any(not each.failure for each in seen)
    level = Level.WARNING if some else Level.ERROR
    for each in seen:
        if each.failure:
            message = f"the hub at {each.address} port {port} takes no connection: {each.failure}"
            hint = "Let this machine open connections to the hub's port; by name, for its addresses change (R10)."
            yield Finding(f"CHECK-TCP-0{2 if each.silent else 1}", message, hint, "R10", f"{host}:{port}", level)


def _version_findings(seen: list[VersionSeen], host: str, port: int) -> Iterator[Finding]:
    if any(each.offered for each in seen):
        return
    where = f"{host}:{port}"
    if began := next((each.began for each in seen if each.began), b""):
        message = f"{where} answers {began!r}, which is no TLS"
        yield Finding("CHECK-HUB-01", message, "Look at what stands between: a proxy, or a wrong port.", "R1", where)
        return
    alerts = {each.alert for each in seen}
    if len(alerts) == 1 and (alert := alerts.pop()):
        message = f"{where} ended the handshake before it saw our certificate: {alert}"
        hint = "Look at the endpoint in the contract and at what stands between; if both are right, ask the hub."
        yield Finding(f"CHECK-ALERT-{alert.number}", message, hint, "RFC 8446 section 6.2", where)
        return
    said = "; ".join(f"{each.version}: {each.alert or each.failure or 'not offered'}" for each in seen)
    message = f"{where} speaks neither TLS 1.2 nor 1.3 with this machine ({said})"
    hint = "Look at firewalls that open TLS; if there are none, ask the hub."
    yield Finding("CHECK-HUB-05", message, hint, "R11; RFC 8446 section 4.1.1", where)


def hub_findings(chain: Chain, failure: str, spoke: Spoke, host: str, port: int, now: datetime) -> Iterator[Finding]:
    """Yield why the server that answers is not the hub of the contract: its path, its name, its dates."""
    where = f"{host}:{port}"
    if not chain:
        message = f"{where} speaks TLS, and shows no certificate that can be read: {failure}"
        yield Finding("CHECK-HUB-01", message, "Look at what stands between.", "R1", where)
        return
    anchors = x509.load_pem_x509_certificates(server_ca(spoke.contract).encode())
    wrong = errors(path_findings(chain, anchors, host, now))
    kinds = {each.id.rpartition("-")[0] for each in wrong}
    if "PROBE-DATE" in kinds:
        said = "; ".join(each.message for each in wrong if each.id.startswith("PROBE-DATE"))
        message = f"{said}; the clock of this machine says {now:%Y-%m-%d %H:%M} UTC"
        yield Finding("CHECK-HUB-04", message, "Set the clock; if it is right, tell the hub.", _CITED, where)
    if "PROBE-NAME" in kinds:
        said = "; ".join(each.message for each in wrong if each.id.startswith("PROBE-NAME"))
        yield Finding("CHECK-HUB-03", said, "Look where the address leads.", "RFC 9525 section 6.3", where)
    if [each.id for each in wrong] == ["PROBE-CHAIN-01"] and len(chain) == 1:
        issuer = chain[0].issuer.rfc4514_string()
        named = " or ".join(each.subject.rfc4514_string() for each in anchors[:_SHOWN])
        message = f"the certificate of {where} was issued by {issuer}, which was not sent, and which is not {named}"
        hint = (
            "If that is a CA of your own network, exempt the hub from inspection: mutual TLS cannot pass it. Else the "
            "hub does not send its intermediate CA: tell the hub's operator."
        )
        yield Finding("CHECK-HUB-07", message, hint, "RFC 8446 section 4.4.2", where)
    elif kinds & {"PROBE-CHAIN", "PROBE-KEY"}:
        public = spoke.contract.trust.server_ca == PUBLIC
        named = " or ".join(each.subject.rfc4514_string() for each in anchors)
        wanted = "a public CA that this machine trusts" if public else f"the server CA of the contract, {named}"
        issuer = chain[-1].issuer.rfc4514_string()
        message = f"the certificate of {where} comes from {issuer}, and not from {wanted}"
        hint = "If that is a CA of your own network, exempt the hub from inspection: mutual TLS cannot pass it. "
        hint += "Else take the contract again from the hub."
        yield Finding("CHECK-HUB-02", message, hint, _CITED, where)


def _refusal(seen: Admission, error: Exception, where: str) -> Finding:
    if seen.outcome is Outcome.REFUSED and seen.alert:
        message = f"the hub refuses our certificate: {seen.alert}"
        hint = "Look at the certificate that is in use, and ask the hub's operator, who sees why."
        return Finding(f"CHECK-ALERT-{seen.alert.number}", message, hint, "RFC 8446 section 6.2", where)
    if seen.outcome is Outcome.ANSWERED:
        message = f"a call failed ({error}), and the next one was let in"
        hint = "Check again; if it comes and goes, one of the hub's addresses does not work."
        return Finding("CHECK-HUB-06", message, hint, _CITED, where)
    message = f"the hub ended the connection without saying why, once it saw us: {seen}"
    hint = "Check again; then ask the hub's operator, who sees why."
    return Finding("CHECK-HUB-06", message, hint, _CITED, where)


def _clock(date: str, now: datetime) -> tuple[str, tuple[Finding, ...]]:
    try:
        apart = now - parsedate_to_datetime(date)
    except (ValueError, TypeError):
        return "the hub tells no time", ()
    seconds = apart.total_seconds()
    said = f"{abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} the hub's"
    if abs(apart) <= CLOCK_WARNING:
        return f"with the hub's, to {abs(seconds):.0f} s", ()
    level = Level.ERROR if abs(apart) > CLOCK_ERROR else Level.WARNING
    hint = "Switch on time synchronisation: certificates begin and end by the clock."
    message = f"the clock of this machine is {said}"
    return said, (Finding("CHECK-CLOCK-01", message, hint, "RFC 5280 section 4.1.2.5", "clock", level),)


def _names(chain: Chain) -> str:
    return " <- ".join(each.subject.rfc4514_string() for each in chain)


def _nobody() -> ssl.SSLContext:
    """Return a context for a look: nothing is believed, nothing asked, and no certificate shown."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
