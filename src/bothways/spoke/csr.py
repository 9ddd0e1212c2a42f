"""The customer's key and certification request (R7 to R9), checked by the hub's own rules before they are written."""

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from bothways import files
from bothways.contract.document import KeyType
from bothways.contract.subject import Subject, common_name_findings, subject_findings
from bothways.errors import Conflict, Refused, Unusable
from bothways.findings import errors
from bothways.pki import keys
from bothways.pki.request import CertificationRequest, parse_request
from bothways.pki.rules import SUBJECT, Applicant, request_findings
from bothways.spoke.directory import Spoke

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def make_request(spoke: Spoke, key_type: KeyType, subject: Subject) -> CertificationRequest:
    """Make `tls.key` (mode 0600) and `tls.csr`. A key that is there without a request is used, never overwritten.

    Raises `Refused` with all findings if the rules would refuse the request, `Conflict` if there is one already.
    """
    if spoke.request_file.exists():
        raise Conflict(f"{spoke.request_file} exists already. Hand it to the hub, or move it and its key away.")
    if mistakes := subject_findings(subject) + common_name_findings(spoke.contract.terms, key_type, spoke.tsp_id):
        raise Refused(mistakes)
    common_name = spoke.contract.terms.request.expected_common_name(
        key_type.marker, spoke.tsp_id, spoke.contract.terms.environment
    )
    key = _key(spoke, key_type)
    request = parse_request(_signed(key, subject, common_name), str(spoke.request_file))
    applicant = Applicant(spoke.tsp_id, spoke.contract.terms)
    if mistakes := errors(request_findings(request, applicant, str(spoke.request_file))):
        raise Refused(mistakes)
    if not spoke.key_file.exists():
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        files.write_new(spoke.key_file, pem, files.PRIVATE)
    files.write_new(spoke.request_file, request.pem.encode())
    return request


def read_key(spoke: Spoke) -> PrivateKey:
    """Return the spoke's private key. Raises `Unusable` if there is none, or others can read it."""
    pem = files.read_private(spoke.key_file, "the private key")
    try:
        key = load_pem_private_key(pem, None)
    except (ValueError, TypeError) as error:
        raise Unusable(f"{spoke.key_file} is no unencrypted private key in PEM: {error}.") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise Unusable(f"{spoke.key_file} is neither an RSA nor an ECDSA key. Make a new one: bothways spoke csr")
    return key


def _key(spoke: Spoke, key_type: KeyType) -> PrivateKey:
    if spoke.key_file.exists():
        key = read_key(spoke)
        if keys.key_type(key.public_key()) is not key_type:
            raise Conflict(f"{spoke.key_file} is not an {key_type.marker} key. Move it away, or give the other --key.")
        return key
    if key_type is KeyType.RSA:
        return rsa.generate_private_key(keys.RSA_EXPONENT, keys.RSA_BITS)
    return ec.generate_private_key(ec.SECP256R1())


def _signed(key: PrivateKey, subject: Subject, common_name: str) -> bytes:
    values = subject.attributes() | {"CN": common_name}
    attributes = [
        # The library makes the country a PrintableString and the rest UTF8String, as RFC 5280 wants them.
        x509.NameAttribute(SUBJECT[name], value)
        for name, value in values.items()
    ]
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(attributes))
    return builder.sign(key, SHA256()).public_bytes(Encoding.DER)
