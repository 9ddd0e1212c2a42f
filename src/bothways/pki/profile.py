"""Certificate profiles: what the CAs of a hub put into the certificates they sign. Nothing is signed here."""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bothways.contract.document import Environment
from bothways.pki.request import CertificationRequest
from bothways.pki.rules import SUBJECT

BACKDATE = timedelta(minutes=5)
"""How far not-before lies in the past, for peers whose clock is behind."""

AUTHORITY_VALIDITY = timedelta(days=3652)
SERVER_VALIDITY = timedelta(days=397)
HUB_CLIENT_VALIDITY = timedelta(days=90)
NODE_VALIDITY = timedelta(days=397)

PROBER_VALIDITY = timedelta(hours=1)
"""As the fresh certificate of a probe: it is made for half an hour of probes."""

SERIAL_BITS = 159
"""Random bits of a serial number: 20 octets at most, and positive (RFC 5280 section 4.1.2.2)."""

_URI_ID = re.compile(f"urn:bothways:({'|'.join(Environment)}):([A-Za-z0-9]{{1,32}}):[0-9a-f]{{1,40}}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Profile:
    """Everything that stands in a certificate but the issuer and the serial number.

    `path_length` is how many CAs a CA may have below it (pathLenConstraint, RFC 5280 section 4.2.1.9).
    """

    subject: x509.Name
    public_key: CertificatePublicKeyTypes
    not_before: datetime
    not_after: datetime
    authority: bool = False
    usage: x509.ObjectIdentifier | None = None
    names: tuple[x509.GeneralName, ...] = ()
    crl_url: str | None = None
    path_length: int = 0

    def capped(self, end: datetime) -> "Profile":
        """Return the profile with an end that is not after `end`, which is its issuer's."""
        return replace(self, not_after=end) if end < self.not_after else self


def authority(
    name: str, organization: str, key: CertificatePublicKeyTypes, now: datetime, path_length: int = 0
) -> Profile:
    """Return the profile of a self-signed CA, which signs end entities alone if nothing else is said."""
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )
    return Profile(subject, key, now - BACKDATE, now + AUTHORITY_VALIDITY, authority=True, path_length=path_length)


def link(authority: x509.Certificate, now: datetime) -> Profile:
    """Return the profile of a link certificate: a CA's name and key, for the CA before it to sign.

    Whoever trusts the one before alone believes by it what the new one signed (newWithOld, RFC 9810 section 4.4).
    """
    key, end = authority.public_key(), authority.not_valid_after_utc
    return Profile(authority.subject, key, now - BACKDATE, end, authority=True)


def customer_client(
    request: CertificationRequest,
    environment: Environment,
    tsp_id: str,
    serial: int,
    now: datetime,
    validity: timedelta,
    crl_url: str | None = None,
) -> Profile:
    """Return the profile of a customer's client certificate; it takes the key and the subject from the request.

    `crl_url` is where the CA's revocation list is (CRLDistributionPoints, RFC 5280 section 4.2.1.13), if anywhere.
    """
    subject = request.subject
    if [attribute.oid for attribute in subject] != list(SUBJECT.values()):
        subject = x509.Name([subject.get_attributes_for_oid(oid)[0] for oid in SUBJECT.values()])
    return Profile(
        subject,
        request.public_key,
        now - BACKDATE,
        now + validity,
        usage=ExtendedKeyUsageOID.CLIENT_AUTH,
        names=(x509.UniformResourceIdentifier(uri_id(environment, tsp_id, serial)),),
        crl_url=crl_url,
    )


def hub_client(domain: str, environment: Environment, key: CertificatePublicKeyTypes, now: datetime) -> Profile:
    """Return the profile of the hub's own client certificate; its DNS-ID, for customers to check, is the domain."""
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, domain),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{domain} {environment.value} client"),
        ]
    )
    usage = ExtendedKeyUsageOID.CLIENT_AUTH
    return Profile(subject, key, now - BACKDATE, now + HUB_CLIENT_VALIDITY, usage=usage, names=(x509.DNSName(domain),))


def server(hosts: tuple[str, ...], key: CertificatePublicKeyTypes, now: datetime) -> Profile:
    """Return the profile of a server certificate for exactly these hosts, as DNS-IDs (RFC 9525)."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0])])
    names = tuple(x509.DNSName(host) for host in hosts)
    return Profile(
        subject, key, now - BACKDATE, now + SERVER_VALIDITY, usage=ExtendedKeyUsageOID.SERVER_AUTH, names=names
    )


def node(name: str, domain: str, environment: Environment, key: CertificatePublicKeyTypes, now: datetime) -> Profile:
    """Return the profile of the certificate that a node shows to the control plane: for clients, and nothing else."""
    subject = x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, domain), x509.NameAttribute(NameOID.COMMON_NAME, name)]
    )
    names = (x509.UniformResourceIdentifier(node_uri_id(environment, name)),)
    usage = ExtendedKeyUsageOID.CLIENT_AUTH
    return Profile(subject, key, now - BACKDATE, now + NODE_VALIDITY, usage=usage, names=names)


def prober(domain: str, environment: Environment, key: CertificatePublicKeyTypes, now: datetime) -> Profile:
    """Return the profile of the certificate with which the control plane asks remote nodes to call a customer.

    It is of the node CA and no node's: on no record, it opens nothing at the control plane.
    """
    subject = x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, domain), x509.NameAttribute(NameOID.COMMON_NAME, "probes")]
    )
    names = (x509.UniformResourceIdentifier(prober_uri_id(environment)),)
    usage = ExtendedKeyUsageOID.CLIENT_AUTH
    return Profile(subject, key, now - BACKDATE, now + PROBER_VALIDITY, usage=usage, names=names)


def prober_uri_id(environment: Environment) -> str:
    """Return the URI-ID of the control plane's probes. No node's can be equal: theirs begin with another namespace."""
    return f"urn:bothways-probes:{environment.value}"


def node_uri_id(environment: Environment, name: str) -> str:
    """Return the URI-ID of a node. No customer's can be equal: theirs begin with another namespace."""
    return f"urn:bothways-node:{environment.value}:{name}"


def uri_id(environment: Environment, tsp_id: str, serial: int) -> str:
    """Return the URI-ID that is this certificate's identity in the data plane: unique to it, and never its CN."""
    return f"urn:bothways:{environment.value}:{tsp_id}:{serial:x}"


def read_uri_id(text: str) -> tuple[Environment, str] | None:
    """Return environment and tspId that a URI-ID of ours names, or None if it is none. It proves nothing by itself."""
    found = _URI_ID.fullmatch(text)
    return (Environment(found[1]), found[2]) if found else None
