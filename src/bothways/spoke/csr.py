"""The customer's key and certification request (R7 to R9), checked by the hub's own rules before they are written."""

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from bothways import files
from bothways.contract.document import KeyType
from bothways.contract.subject import Subject, common_name_findings, subject_findings
from bothways.errors import Conflict, Refused
from bothways.findings import errors
from bothways.pki import keys
from bothways.pki.request import CertificationRequest, parse_request
from bothways.pki.rules import SUBJECT, Applicant, request_findings
from bothways.spoke.directory import KEY, REQUEST, Spoke, alone, stands
from bothways.spoke.pair import PrivateKey, read_key, tidy


def make_request(spoke: Spoke, key_type: KeyType, subject: Subject) -> CertificationRequest:
    """Make a key (mode 0600) and its request where `spoke.pending` is: beside the pair in use, if there is one.

    A key that waits there without a request, from an interrupted run or brought in, is used, never overwritten.
    Raises `Refused` with all findings if the rules would refuse the request, `Conflict` if one is under way already.
    """
    if mistakes := subject_findings(subject) + common_name_findings(spoke.contract.terms, key_type, spoke.tsp_id):
        raise Refused(mistakes)
    common_name = spoke.contract.terms.request.expected_common_name(
        key_type.marker, spoke.tsp_id, spoke.contract.terms.environment
    )
    with alone(spoke.directory):
        tidy(spoke)
        key_file, request_file = spoke.pending / KEY, spoke.pending / REQUEST
        if stands(request_file):
            raise Conflict(
                f"{request_file} exists already: a request is under way. Hand it to the hub, and install what comes "
                f"back: bothways spoke install CERT --directory {spoke.directory}. For another one, move it away first."
            )
        key = _key(key_file, key_type)
        request = parse_request(_signed(key, subject, common_name), str(request_file))
        applicant = Applicant(spoke.tsp_id, spoke.contract.terms)
        if mistakes := errors(request_findings(request, applicant, str(request_file))):
            raise Refused(mistakes)
        files.make_directory(spoke.pending)
        # The key first: if this is killed in between, the next run goes on with it.
        if not stands(key_file):
            pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            files.write_new(key_file, pem, files.PRIVATE)
        files.write_new(request_file, request.pem.encode())
    return request


def _key(path: Path, key_type: KeyType) -> PrivateKey:
    if stands(path):
        key = read_key(path).key
        if keys.key_type(key.public_key()) is not key_type:
            raise Conflict(
                f"{path} is not an {key_type.marker} key, and is never overwritten. "
                "Give the other --key, or move it away."
            )
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
