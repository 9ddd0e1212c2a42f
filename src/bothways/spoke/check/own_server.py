"""Our own server as it is seen from here: versions, chain, name, dates, and who gets in that must not."""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bothways import files
from bothways.connectivity.evidence import Admission, Caller, DnsSeen
from bothways.connectivity.verdicts import dns_findings, let_in, path_findings, version_findings
from bothways.errors import BothwaysError
from bothways.findings import Finding, Level, errors
from bothways.pki.hello import TLS_1_2, VERSIONS
from bothways.spoke.addresses import Answer, Found, Missing
from bothways.spoke.check import through_envoy
from bothways.spoke.check.report import Area, Say, Step
from bothways.spoke.check.through_envoy import Envoy, EnvoySeen, Look, Verdict, look_through
from bothways.spoke.directory import Spoke
from bothways.spoke.knock import Chain, Target, knock, presented, tcp, version
from bothways.spoke.resolver import Question
from bothways.spoke.spoke_line import tls_context

ADDRESSES_MOST = 8
"""Addresses of our server that are connected to."""

OURS = "our own client certificate, which is the hub's CA's and not the Client CA's"
_CITED = "R1; R12"
# What is inside here may have an inside address here; the hub judges what it sees itself.
_NOT_FROM_HERE = frozenset({"PROBE-DNS-03"})
_WITHOUT_ANCHORS = frozenset({"PROBE-CHAIN-01", "PROBE-CHAIN-02"})


@dataclass(frozen=True, slots=True)
class OwnServer:
    """Where our server is, the path that is asked for, and the chains that the hub endorsed for it, in PEM."""

    host: str
    port: int
    path: str
    chains: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """HOST:PORT."""
        return f"{self.host}:{self.port}"


async def look_at_own_server(
    spoke: Spoke, server: OwnServer, question: Question, now: datetime, say: Say, envoy: Envoy | None = None
) -> None:
    """Look at the server as far as one gets, and say each step. An `envoy` looks as well."""
    answer = await asyncio.to_thread(question.ask, server.host)
    seen = _dns(server.host, answer)
    found = tuple(each for each in dns_findings(seen, loopback_allowed=True) if each.id not in _NOT_FROM_HERE)
    said = f"{', '.join(seen.addresses) or 'no address'} for {seen.ttl:.0f} s"
    say(Step(Area.OUTBOUND, "name of our server", f"{server.host}: {said}", found))
    chosen = [each for each in seen.addresses if ":" not in each] or list(seen.addresses)
    reached = await asyncio.gather(*(tcp(each, server.port) for each in chosen[:ADDRESSES_MOST]))
    target = next((Target(e.address, server.port, server.host, server.path) for e in reached if not e.failure), None)
    where = "; ".join(f"{each.address} {each.failure or 'connected'}" for each in reached) or "nowhere to connect to"
    if target is None:
        message = f"{server.address} is not reached from here ({where}); what the hub reaches, its probe says"
        hint = "If the hub's probe fails as well, start the server, or open its port."
        unreached = Finding("CHECK-SERVER-06", message, hint, "R11", server.address, Level.INFO)
        say(Step(Area.OUTBOUND, "our server", where, (unreached,)))
        return
    versions = await asyncio.gather(*(version(target, each) for each in VERSIONS))
    offered = ", ".join(each.version for each in versions if each.offered) or "none"
    findings = tuple(version_findings(versions, server.host))
    say(Step(Area.OUTBOUND, "TLS of our server", f"{where}: {offered}", findings))
    if not any(each.offered for number, each in zip(VERSIONS, versions, strict=True) if number >= TLS_1_2):
        return
    chain, failure = await presented(target, _context())
    judged = tuple(_chain_findings(chain, failure, server, now))
    names = " <- ".join(each.subject.rfc4514_string() for each in chain)
    say(Step(Area.OUTBOUND, "chain of our server", names or failure, judged))
    # Our certificate is shown to nobody whom the hub would not believe either.
    believed = bool(chain and server.chains) and not errors(judged)
    foreign = foreign_certificate(spoke, now)
    steps, envoys = await asyncio.gather(
        _who_gets_in(spoke, target, server, foreign, believed=believed), _through_envoy(target, server, foreign, envoy)
    )
    disagreement = through_envoy.server_findings(envoys, server.address, believed=believed)
    say(through_envoy.step(Area.OUTBOUND, envoys, disagreement))
    for step in steps:
        say(step)


async def _through_envoy(target: Target, server: OwnServer, foreign: bytes, envoy: Envoy | None) -> EnvoySeen:
    if not server.chains:
        return EnvoySeen(Verdict.UNASKED, "no CA is endorsed for the server, so Envoy would believe none")
    return await look_through(envoy, Look(target, "".join(server.chains), foreign))


async def _who_gets_in(
    spoke: Spoke, target: Target, server: OwnServer, foreign: bytes, *, believed: bool
) -> list[Step]:
    callers = [
        ("no certificate", "CHECK-SERVER-03", Caller.NOBODY, _context()),
        (Caller.FOREIGN.value, "CHECK-SERVER-04", Caller.FOREIGN, _context(spoke, foreign)),
    ]
    if believed:
        with suppress(BothwaysError):
            ours = tls_context(spoke)
            ours.check_hostname, ours.verify_mode = False, ssl.CERT_NONE
            callers.append((OURS, "CHECK-SERVER-05", Caller.CURRENT, ours))
    seen = await asyncio.gather(*(knock(target, caller, context, lambda _: True) for *_, caller, context in callers))
    inside = any(caller is Caller.NOBODY and let_in(each) for (*_, caller, _), each in zip(callers, seen, strict=True))
    return [
        _admitted(name, id_, each, server, told=inside and caller is not Caller.NOBODY)
        for (name, id_, caller, _), each in zip(callers, seen, strict=True)
    ]


def _admitted(name: str, id_: str, seen: Admission, server: OwnServer, *, told: bool) -> Step:
    findings: tuple[Finding, ...] = ()
    # Who lets in everybody is told so once.
    if let_in(seen) and not told:
        message = f"your server {server.address} lets in {name} ({seen})"
        hint = "Have it require a client certificate, and verify it against the Client CA of the contract alone."
        findings = (Finding(id_, message, hint, _CITED, server.address),)
    return Step(Area.OUTBOUND, "who gets in", f"{name}: {seen}", findings)


def _dns(host: str, answer: Answer) -> DnsSeen:
    if isinstance(answer, Found):
        ttl = min((*answer.ttls.values(), *answer.chain), default=0.0)
        return DnsSeen(host, tuple(answer.ttls), ttl, answer.aliases)
    return DnsSeen(host, missing=True) if isinstance(answer, Missing) else DnsSeen(host, failure=answer.reason)


def _chain_findings(chain: Chain, failure: str, server: OwnServer, now: datetime) -> Iterator[Finding]:
    if not chain:
        message = f"the server speaks TLS, and no certificate of it was seen: {failure}"
        hint = f"Have it present a certificate for {server.host}, with a key of RSA or ECDSA."
        yield Finding("PROBE-CHAIN-05", message, hint, "R11", server.host)
        return
    anchors = [each for pem in server.chains for each in x509.load_pem_x509_certificates(pem.encode())]
    for each in path_findings(chain, anchors, server.host, now):
        if anchors or each.id not in _WITHOUT_ANCHORS:
            yield each


def foreign_certificate(spoke: Spoke, now: datetime) -> bytes:
    """Return a certificate with its key, in PEM, of a CA that has the Client CA's name and another key."""
    # Of a Client CA that is not known, any name will do: it must not get in either.
    known = spoke.contract.trust.client_ca
    unknown = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Client CA")])
    issuer = x509.load_pem_x509_certificates(known.encode())[0].subject if known else unknown
    key = ec.generate_private_key(ec.SECP256R1())
    hub = spoke.contract.terms.hub or "hub.invalid"
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hub)]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(hub)]), critical=False)
        .sign(ec.generate_private_key(ec.SECP256R1()), SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private + certificate.public_bytes(Encoding.PEM)


def _context(spoke: Spoke | None = None, pem: bytes = b"") -> ssl.SSLContext:
    """Return a context that presents this certificate, if any; the server's is judged by rules afterwards."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if spoke is not None:
        with files.readable(pem, spoke.directory) as path:
            context.load_cert_chain(path)
    return context
