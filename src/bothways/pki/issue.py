"""From a profile to a certificate, in two steps: the bytes to be signed can be stored before the key sees them."""

from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from bothways.pki.profile import Profile

# The builder makes the to-be-signed bytes only by signing. This key (the number one) signs them away: its signature is
# dropped, and the issuing key, which may live in an HSM, signs the bytes.
_NOBODY = ec.derive_private_key(1, ec.SECP256R1())

_ECDSA_WITH_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")
_SEQUENCE, _BIT_STRING, _LONG_FORM = 0x30, 0x03, 0x80


@dataclass(frozen=True, slots=True)
class Unsigned:
    """A TBSCertificate (RFC 5280 section 4.1) in DER: the only thing that an issuing key is given."""

    der: bytes


def self_signed(profile: Profile, serial: int) -> Unsigned:
    """Return the bytes of a certificate whose issuer is its own subject."""
    return _unsigned(profile, serial, profile.subject, x509.SubjectKeyIdentifier.from_public_key(profile.public_key))


def issued_by(issuer: x509.Certificate, profile: Profile, serial: int) -> Unsigned:
    """Return the bytes of a certificate under `issuer`; its end is capped at the issuer's."""
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return _unsigned(profile, serial, issuer.subject, identifier, issuer)


def assemble(unsigned: Unsigned, signature: bytes) -> x509.Certificate:
    """Return the certificate made of the signed bytes and their ECDSA-with-SHA256 signature in DER (RFC 5758)."""
    parts = unsigned.der + _ECDSA_WITH_SHA256 + _tagged(_BIT_STRING, b"\0" + signature)
    return x509.load_der_x509_certificate(_tagged(_SEQUENCE, parts))


def _unsigned(
    profile: Profile,
    serial: int,
    issuer_name: x509.Name,
    issuer_key: x509.SubjectKeyIdentifier,
    issuer: x509.Certificate | None = None,
) -> Unsigned:
    not_after = min(profile.not_after, issuer.not_valid_after_utc) if issuer else profile.not_after
    builder = (
        x509.CertificateBuilder()
        .subject_name(profile.subject)
        .issuer_name(issuer_name)
        .public_key(profile.public_key)
        .serial_number(serial)
        .not_valid_before(profile.not_before)
        .not_valid_after(not_after)
        .add_extension(
            x509.BasicConstraints(ca=profile.authority, path_length=0 if profile.authority else None), critical=True
        )
        .add_extension(_key_usage(authority=profile.authority), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(profile.public_key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer_key), critical=False)
    )
    if profile.usage:
        builder = builder.add_extension(x509.ExtendedKeyUsage([profile.usage]), critical=False)
    if profile.names:
        builder = builder.add_extension(x509.SubjectAlternativeName(profile.names), critical=False)
    return Unsigned(builder.sign(_NOBODY, SHA256()).tbs_certificate_bytes)


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


def _tagged(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < _LONG_FORM:
        return bytes([tag, length]) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, _LONG_FORM | len(octets)]) + octets + content
