"""From a profile to a certificate, in two steps: the bytes to be signed can be stored before the key sees them.

The library makes these bytes only together with a signature, so they are put together here, out of parts that the
library encodes; the lint compares them with what was promised, and no other way leads to an `Unsigned`.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256

from bothways.findings import Finding, Level
from bothways.pki import der, lint
from bothways.pki.keys import described
from bothways.pki.profile import Profile

ECDSA_WITH_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")
"""AlgorithmIdentifier without parameters (RFC 5758 section 3.2)."""

SHA256_WITH_RSA = bytes.fromhex("300d06092a864886f70d01010b0500")
"""AlgorithmIdentifier with the parameters NULL (RFC 4055 section 5)."""

_VERSION_3 = bytes.fromhex("a003020102")
_EXTENSIONS = 0xA3
_ALGORITHM = 2
_CRITICAL = bytes.fromhex("0101ff")


@dataclass(frozen=True, slots=True)
class Unsigned:
    """A TBSCertificate (RFC 5280 section 4.1) in DER, linted: the only thing that an issuing key is given."""

    der: bytes


def self_signed(profile: Profile, serial: int) -> Unsigned:
    """Return the bytes of a certificate whose issuer is its own subject. Raises `Refused` with what the lint found."""
    own = x509.SubjectKeyIdentifier.from_public_key(profile.public_key)
    name = profile.subject.public_bytes()
    return _unsigned(lint.Promise(profile, serial, name, own.digest, algorithm(profile.public_key)))


def issued_by(issuer: x509.Certificate, profile: Profile, serial: int) -> Unsigned:
    """Return the bytes of a certificate under `issuer`, capped at its end. Raises `Refused` as the lint does."""
    name, identifier, signs_with, end = _issuer(issuer)
    return _unsigned(lint.Promise(profile.capped(end), serial, name, identifier, signs_with))


def cap_findings(issuer: x509.Certificate, not_after: datetime, subject: str) -> tuple[Finding, ...]:
    """Return a warning if a certificate until `not_after` would outlive its issuer, and is capped."""
    end = issuer.not_valid_after_utc
    if not_after <= end:
        return ()
    message = (
        f"the issuing CA ends on {end:%Y-%m-%d}, and so the certificate does, not on {not_after:%Y-%m-%d} as agreed"
    )
    hint = "Make the next issuing CA before approving, or tell the customer."
    return (Finding("CERT-END-01", message, hint, "RFC 5280 section 6.1", subject, Level.WARNING),)


def assemble(unsigned: Unsigned, signature: bytes) -> x509.Certificate:
    """Return the certificate made of the signed bytes and their signature, under the algorithm that they name.

    The signature is a DER ECDSA-Sig-Value (RFC 3279 section 2.2.3), or the octets of RSA.
    """
    return x509.load_der_x509_certificate(signed(unsigned, signature))


def signed(unsigned: Unsigned, signature: bytes) -> bytes:
    """Return the certificate in DER, made as `assemble` does it. To be kept only if `require_signature` has let it."""
    return der.signed(unsigned.der, der.parts(unsigned.der)[_ALGORITHM], signature)


def require_signature(content: bytes, signature: bytes, key: CertificatePublicKeyTypes) -> None:
    """Raise `InvalidSignature` unless the signature over a TBSCertificate (DER) is by the key of a CA."""
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, content, padding.PKCS1v15(), SHA256())
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, content, ec.ECDSA(SHA256()))
    else:
        raise InvalidSignature


def algorithm(key: CertificatePublicKeyTypes) -> bytes:
    """Return the AlgorithmIdentifier with which a CA's key signs. Raises `ValueError` for a key that no CA has."""
    if isinstance(key, rsa.RSAPublicKey):
        return SHA256_WITH_RSA
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return ECDSA_WITH_SHA256
    raise ValueError(f"a CA with a key that is {described(key)} cannot sign; P-256 or RSA is wanted")


@lru_cache(maxsize=16)
def _issuer(certificate: x509.Certificate) -> tuple[bytes, bytes, bytes, datetime]:
    # Read once for all that a CA issues: the library reads a certificate anew at each question.
    identifier = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    signs_with = algorithm(certificate.public_key())
    return certificate.subject.public_bytes(), identifier, signs_with, certificate.not_valid_after_utc


def _unsigned(promise: lint.Promise) -> Unsigned:
    profile = promise.profile
    content = der.sequence(
        _VERSION_3,
        der.integer(promise.serial),
        promise.algorithm,
        promise.issuer,
        der.sequence(der.time(profile.not_before), der.time(profile.not_after)),
        promise.subject,
        promise.key_info,
        der.tagged(_EXTENSIONS, der.sequence(*_extensions(promise))),
    )
    lint.require_clean(content, promise)
    return Unsigned(content)


def _extensions(promise: lint.Promise) -> list[bytes]:
    profile = promise.profile
    own = x509.SubjectKeyIdentifier.from_public_key(profile.public_key)
    found = [
        *_basics(profile.path_length if profile.authority else None),
        _extension(own),
        _issuer_key(promise.issuer_key),
    ]
    if profile.usage:
        found.append(_purpose(profile.usage))
    if profile.names:
        found.append(_extension(x509.SubjectAlternativeName(profile.names)))
    if profile.crl_url:
        found.append(_list_at(profile.crl_url))
    return found


@cache
def _basics(path_length: int | None) -> tuple[bytes, ...]:
    authority = path_length is not None
    constraints = x509.BasicConstraints(authority, path_length)
    return _extension(constraints, critical=True), _extension(_key_usage(authority=authority), critical=True)


@cache
def _purpose(usage: x509.ObjectIdentifier) -> bytes:
    return _extension(x509.ExtendedKeyUsage([usage]))


@lru_cache(maxsize=16)
def _issuer_key(identifier: bytes) -> bytes:
    return _extension(x509.AuthorityKeyIdentifier(identifier, None, None))


@lru_cache(maxsize=16)
def _list_at(url: str) -> bytes:
    where = [x509.UniformResourceIdentifier(url)]
    return _extension(x509.CRLDistributionPoints([x509.DistributionPoint(where, None, None, None)]))


def _extension(value: x509.ExtensionType, *, critical: bool = False) -> bytes:
    name = der.oid(value.oid.dotted_string)
    return der.sequence(name, _CRITICAL if critical else b"", der.tagged(der.OCTET_STRING, value.public_bytes()))


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )
