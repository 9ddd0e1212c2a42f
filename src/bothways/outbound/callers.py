"""As whom the probe knocks: the hub's client certificate, a fresh one, and strangers. Their keys are never stored.

Fresh and expired are signed by the real Client CA, for only that tells whether a server trusts the CA and looks at
dates. What is signed is harmless: the expired one opens nothing at whoever looks at dates, the fresh one lasts an hour,
and both keys are in the memory of this process alone and go with it. Each signature has its line in the audit.
"""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import Connection

from bothways import files
from bothways.connectivity.evidence import Caller
from bothways.operations.hub import Hub, contract, issuer_for_hub, serial_number
from bothways.operations.shown import shown_to
from bothways.pki import issue, profile
from bothways.pki.chain import certificate_pem, fingerprint, issued_by
from bothways.store import authorities, customer_credentials
from bothways.store.authorities import Authority, Role

FRESH_VALIDITY = timedelta(hours=1)
"""How long a fresh certificate lasts: as long as it is used for the probes of many customers, twice over."""

REUSED = timedelta(minutes=30)
"""How long the certificates serve for probes, so that the Client CA does not sign for each customer."""

_EXPIRED_SINCE = timedelta(days=1)
"""How long ago the expired one ended: longer than any clock is behind."""

_EXPIRED_LIFE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Callers:
    """The TLS context of each caller, and until when they can be used. Certificates of servers are not judged here.

    `current` is the serial number of the hub's client certificate that they were made beside. `of_ca` has those that
    differ by Client CA, by the fingerprint of the CA: the one that signs first. `prober` is as whom remote nodes are
    asked to call, None if the hub lets no node in; its certificate is of the CA with the number `node_ca`, which is the
    one that all nodes trust, and it believes what the CAs with the numbers `server_cas` signed.
    """

    contexts: Mapping[Caller, ssl.SSLContext]
    until: datetime
    current: int
    of_ca: Mapping[str, Mapping[Caller, ssl.SSLContext]]
    prober: ssl.SSLContext | None = None
    node_ca: int | None = None
    server_cas: tuple[int, ...] = ()


class KeptCallers:
    """Callers that serve for many probes, and are made anew when they are old or a rotation came between."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._callers: Callers | None = None
        self._lock = asyncio.Lock()

    async def current(self) -> Callers:
        """Return callers that can be used. Raises `Unusable` if the Client CA's key is out of reach."""
        async with self._lock:
            if self._callers is None or not await asyncio.to_thread(still_good, self._hub, self._callers):
                self._callers = await asyncio.to_thread(make_callers, self._hub)
            return self._callers


def callers_for(hub: Hub, tsp_id: str, callers: Callers) -> Callers:
    """Return the callers as they are for this customer: with the certificate that it is shown now, as the current one.

    Fresh and expired are of that one's CA. Where another Client CA signs by now, there is a caller with one of it: so
    is seen who trusts it already. Of a certificate that the customer's own CA signed (R13), a fresh one says nothing.
    """
    with hub.read() as connection:
        shown = shown_to(connection, (tsp_id,), hub.keys.private_pem, hub.now()).get(tsp_id)
        own = tsp_id in customer_credentials.active(connection, (tsp_id,))
        trusted = authorities.trusted(connection, Role.CLIENT)
        certificate = authorities.current_credential(connection, Role.CLIENT).certificate
    contexts = dict(callers.contexts)
    if shown is not None and shown.pair is not None:
        certificate = x509.load_pem_x509_certificates(shown.pair.certificate_pem.encode())[0]
        contexts[Caller.CURRENT] = _context(hub, shown.pair.key_pem.encode() + shown.pair.certificate_pem.encode())
    if own:
        del contexts[Caller.FRESH]
        return replace(callers, contexts=contexts)
    signer = next((each.certificate for each in trusted if issued_by(certificate, each.certificate)), None)
    signing, *_ = callers.of_ca
    if signer is not None and (name := fingerprint(signer)) != signing and name in callers.of_ca:
        contexts |= callers.of_ca[name]
        contexts[Caller.NEXT] = callers.of_ca[signing][Caller.FRESH]
    return replace(callers, contexts=contexts)


def still_good(hub: Hub, callers: Callers) -> bool:
    """Tell whether the callers can be used for another probe: not old, and no rotation or new CA came between."""
    with hub.read() as connection:
        current = authorities.current_credential(connection, Role.CLIENT).certificate
        names = [fingerprint(each.certificate) for each in authorities.trusted(connection, Role.CLIENT)]
        towards_nodes = (issuer_for_hub(connection, Role.NODE, hub.now()).id, _server_cas(connection))
        if callers.prober and (callers.node_ca, callers.server_cas) != towards_nodes:
            return False
    return hub.now() < callers.until and current.serial_number == callers.current and names == [*callers.of_ca]


def make_callers(hub: Hub) -> Callers:
    """Return contexts for all callers. Raises `Unusable` if a Client CA's key is out of reach."""
    now, prober, of_nodes = hub.now(), b"", None
    of_ca: dict[str, dict[Caller, bytes]] = {}
    with hub.write() as transaction:
        trusted = authorities.trusted(transaction.connection, Role.CLIENT)
        server_cas = _server_cas(transaction.connection)
        current = authorities.current_credential(transaction.connection, Role.CLIENT)
        for issuer in trusted:
            made, serials = _of_client_ca(hub, issuer, now)
            of_ca[fingerprint(issuer.certificate)] = made
            if hub.settings.nodes_port and not prober:
                serials["prober"] = f"{(serial := serial_number()):x}"
                of_nodes = issuer_for_hub(transaction.connection, Role.NODE, now)
                prober = _prober(hub, of_nodes, serial)
            transaction.audit("probe.certificates", hub.terms.hub, **serials)
    own = hub.keys.private_pem(current.key_name).encode() + certificate_pem(current.certificate).encode()
    foreign = foreign_certificate(current.certificate.issuer, current.certificate)
    contexts = {name: {who: _context(hub, pem) for who, pem in made.items()} for name, made in of_ca.items()}
    signing, *_ = contexts.values()
    return Callers(
        {
            Caller.CURRENT: _context(hub, own),
            Caller.NOBODY: _context(),
            Caller.FOREIGN: _context(hub, foreign),
            **signing,
        },
        now + REUSED,
        current.certificate.serial_number,
        contexts,
        _towards_nodes(hub, prober) if prober else None,
        of_nodes.id if of_nodes else None,
        server_cas,
    )


def _server_cas(connection: Connection) -> tuple[int, ...]:
    return tuple(each.id for each in authorities.trusted(connection, Role.SERVER))


def _of_client_ca(hub: Hub, issuer: Authority, now: datetime) -> tuple[dict[Caller, bytes], dict[str, str]]:
    """Return a fresh and an expired certificate of a Client CA, with their keys, in PEM; and their serial numbers."""
    signer = hub.keys.signer_of(issuer.certificate, issuer.key_name)
    made, serials = {}, {}
    for caller, begin, end in (
        (Caller.FRESH, now - profile.BACKDATE, now + FRESH_VALIDITY),
        (Caller.EXPIRED, now - _EXPIRED_SINCE - _EXPIRED_LIFE, now - _EXPIRED_SINCE),
    ):
        key = ec.generate_private_key(ec.SECP256R1())
        wanted = profile.hub_client(hub.terms.hub, hub.environment, key.public_key(), now)
        wanted = replace(wanted, not_before=begin, not_after=end)
        unsigned = issue.issued_by(issuer.certificate, wanted, serial := serial_number())
        made[caller] = _pem(key, issue.assemble(unsigned, signer.sign(unsigned)))
        serials[caller.name.lower()] = f"{serial:x}"
    return made, serials


def _prober(hub: Hub, issuer: Authority, serial: int) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    wanted = profile.prober(hub.terms.hub, hub.environment, key.public_key(), hub.now())
    unsigned = issue.issued_by(issuer.certificate, wanted, serial)
    return _pem(key, issue.assemble(unsigned, hub.keys.signer_of(issuer.certificate, issuer.key_name).sign(unsigned)))


def _towards_nodes(hub: Hub, pem: bytes) -> ssl.SSLContext:
    """Return a context for remote nodes: they show the endpoint's certificate, of a CA that signs for the hub alone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # The server name says which node is meant, and stands in no certificate.
    context.check_hostname = False
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(cadata=contract(hub).trust.server_ca)
    with files.readable(pem, hub.run_directory) as path:
        context.load_cert_chain(path)
    return context


def foreign_certificate(issuer: x509.Name, like: x509.Certificate) -> bytes:
    """Return a certificate with its key, in PEM, that is like ours in all but keys: its CA is only named `issuer`."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        x509.CertificateBuilder()
        .subject_name(like.subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(like.not_valid_before_utc)
        .not_valid_after(like.not_valid_after_utc)
    )
    for kind in (x509.BasicConstraints, x509.KeyUsage, x509.ExtendedKeyUsage, x509.SubjectAlternativeName):
        found = like.extensions.get_extension_for_class(kind)
        builder = builder.add_extension(found.value, found.critical)
    return _pem(key, builder.sign(ec.generate_private_key(ec.SECP256R1()), SHA256()))


def _pem(key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> bytes:
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private + certificate.public_bytes(Encoding.PEM)


def _context(hub: Hub | None = None, pem: bytes = b"") -> ssl.SSLContext:
    """Return a context that presents this certificate, if any.

    The server's certificate is looked at afterwards, with all that is wrong with it: a verification here would end at
    the first mistake. Nothing but a question is sent, and a proof of possession that is good for this handshake alone.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if hub is not None:
        with files.readable(pem, hub.run_directory) as path:
            context.load_cert_chain(path)
    return context
