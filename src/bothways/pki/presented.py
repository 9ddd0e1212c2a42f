"""A certificate as somebody presented it in a handshake: what it says of itself. Only `signed_by` proves anything."""

import warnings
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bothways.pki.encoding import UNREADABLE
from bothways.pki.keys import sha256

# What the library thinks of a stranger's certificate is no news for the hub's log.
warnings.filterwarnings("ignore", category=UserWarning, module=__name__.replace(".", r"\."))

_PEM_LIMIT = 16 << 10


@dataclass(frozen=True, slots=True)
class Presented:
    """What the certificate says: `serial` in hex as in the URI-ID, `uri_ids` and `common_names` as they stand there."""

    fingerprint: str
    serial: str
    subject: x509.Name
    issuer: x509.Name
    common_names: tuple[str, ...]
    uri_ids: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    for_clients: bool
    certificate: x509.Certificate

    @property
    def self_signed(self) -> bool:
        """Tell whether it names itself as its issuer."""
        return self.subject == self.issuer

    def names_as_issuer(self, authority: x509.Certificate) -> bool:
        """Tell whether it says that this CA signed it."""
        return self.issuer == authority.subject

    def signed_by(self, authority: x509.Certificate) -> bool:
        """Tell whether this CA did sign it."""
        try:
            self.certificate.verify_directly_issued_by(authority)
        except (InvalidSignature, *UNREADABLE):
            return False
        return True


def read_presented(text: str) -> Presented | None:
    """Return what a certificate says that Envoy logged as URL-encoded PEM; None if it cannot be read, or is too long.

    It comes from strangers: whatever stands there, nothing is raised.
    """
    if len(text) > _PEM_LIMIT:
        return None
    try:
        certificate = x509.load_pem_x509_certificate(unquote(text).encode())
        return _presented(certificate)
    except UNREADABLE:
        return None


def _presented(certificate: x509.Certificate) -> Presented:
    extensions = certificate.extensions
    uri_ids: tuple[str, ...] = ()
    for_clients = True
    for extension in extensions:
        if isinstance(extension.value, x509.SubjectAlternativeName):
            uri_ids = tuple(extension.value.get_values_for_type(x509.UniformResourceIdentifier))
        elif isinstance(extension.value, x509.ExtendedKeyUsage):
            wanted = {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
            for_clients = not wanted.isdisjoint(extension.value)
    return Presented(
        fingerprint=sha256(certificate.public_bytes(Encoding.DER)),
        serial=f"{certificate.serial_number:x}",
        subject=certificate.subject,
        issuer=certificate.issuer,
        common_names=tuple(str(each.value) for each in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)),
        uri_ids=uri_ids,
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        for_clients=for_clients,
        certificate=certificate,
    )
