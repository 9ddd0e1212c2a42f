"""The customer's key and certification request (R7 to R9), checked by the hub's own rules before they are written."""

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
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
from bothways.pki.rules import SUBJECT, Applicant, judge_request, request_findings
from bothways.signer.token_uri import TokenUri
from bothways.spoke.directory import KEY, REQUEST, Spoke, alone, stands
from bothways.spoke.pair import HeldKey, PrivateKey, read_key, tidy, token_in_use
from bothways.spoke.passphrase import is_encrypted, new_passphrase
from bothways.spoke.token_key import is_in_token, key_in_token, made_in_token, next_in_token, reference


def make_request(
    spoke: Spoke,
    key_type: KeyType,
    subject: Subject,
    *,
    encrypt: bool = False,
    key_file: Path | None = None,
    token: TokenUri | None = None,
) -> CertificationRequest:
    """Make a key (mode 0600) and its request where `spoke.pending` is: beside the pair in use, if there is one.

    `encrypt` writes the new key under a passphrase; one that renews an encrypted key is encrypted as well. `key_file`
    is a key that was made elsewhere, which is copied as it is, and says its kind itself. `token` names a key in a
    PKCS#11 token, which is used, or made if it is not there; one that renews a key in a token is a new one in it.
    A key that waits there without a request, from an interrupted run or brought in, is used, never overwritten.
    Raises `Refused` with all findings if the rules would refuse the request, `Conflict` if one is under way already.
    """
    brought = read_key(key_file) if key_file else _in_token(spoke, token)
    if brought:
        key_type = keys.key_type(brought.key.public_key()) or key_type
    if mistakes := subject_findings(subject) + common_name_findings(spoke.contract.terms, key_type, spoke.tsp_id):
        raise Refused(mistakes)
    common_name = spoke.contract.terms.request.expected_common_name(
        key_type, spoke.tsp_id, spoke.contract.terms.environment
    )
    with alone(spoke.directory):
        tidy(spoke)
        kept, request_file = spoke.pending / KEY, spoke.pending / REQUEST
        _require_none(spoke, request_file)
        if brought is None and not stands(kept) and (place := token or _next_in_token(spoke)):
            brought = _reference(spoke, place, made_in_token(place, key_type))
        if brought:
            _require_new(spoke, brought)
        key = _key(kept, key_type, brought)
        request = parse_request(_signed(key, subject, common_name), str(request_file))
        applicant = Applicant(spoke.tsp_id, spoke.contract.terms)
        if mistakes := errors(request_findings(request, applicant, str(request_file))):
            raise Refused(mistakes)
        files.make_directory(spoke.pending)
        pem = brought.pem if brought else _pem(spoke, key, encrypt=encrypt)
        # The key first: if this is killed in between, the next run goes on with it.
        if not stands(kept):
            files.write_new(kept, pem, files.PRIVATE)
        files.write_new(request_file, request.pem.encode())
    return request


def take_request(spoke: Spoke, data: bytes, subject: str, key_file: Path | None = None) -> CertificationRequest:
    """Take a request that was made elsewhere, in PEM or DER, as the one under way; `subject` names it in findings.

    Its key may come with it (`key_file`, copied as it is), be the one that waits here, or stay elsewhere until the
    certificate is installed. Raises `Refused` with all that the hub's rules find, `Conflict` if a request is under way,
    or the key is another.
    """
    brought = read_key(key_file) if key_file else None
    judged = judge_request(data, Applicant(spoke.tsp_id, spoke.contract.terms), subject)
    if judged.request is None or errors(judged.findings):
        raise Refused(errors(judged.findings))
    request = judged.request
    with alone(spoke.directory):
        tidy(spoke)
        kept, request_file = spoke.pending / KEY, spoke.pending / REQUEST
        _require_none(spoke, request_file)
        held = brought or (read_key(kept) if stands(kept) else None)
        if held and held.spki_pin != request.spki_pin:
            raise Conflict(f"{subject} is not for the key in {held.path}. Name its own: --key-file, or move that away.")
        files.make_directory(spoke.pending)
        if brought and not stands(kept):
            files.write_new(kept, brought.pem, files.PRIVATE)
        files.write_new(request_file, request.pem.encode())
    return request


def _in_token(spoke: Spoke, token: TokenUri | None) -> HeldKey | None:
    """Return the key that the URI names, if it is in its token already."""
    return _reference(spoke, token, key_in_token(token)) if token and is_in_token(token) else None


def _next_in_token(spoke: Spoke) -> TokenUri | None:
    """Return the URI for the key that follows the one in use, if that lies in a token."""
    in_use = token_in_use(spoke) if stands(spoke.certificate_file) else None
    return next_in_token(in_use) if in_use else None


def _reference(spoke: Spoke, uri: TokenUri, key: PrivateKey) -> HeldKey:
    return HeldKey(spoke.pending / KEY, reference(uri, key.public_key()), key)


def _require_new(spoke: Spoke, brought: HeldKey) -> None:
    if (
        stands(spoke.certificate_file)
        and stands(spoke.key_file)
        and read_key(spoke.key_file).spki_pin == brought.spki_pin
    ):
        raise Conflict(
            f"{brought.token or brought.path} is the key in use, and each certificate has a key of its own (R9). "
            "Name another one, or none."
        )


def _require_none(spoke: Spoke, request_file: Path) -> None:
    if stands(request_file):
        raise Conflict(
            f"{request_file} exists already: a request is under way. Hand it to the hub, and install what comes "
            f"back: bothways spoke install CERT --directory {spoke.directory}. For another one, move it away first."
        )


def _pem(spoke: Spoke, key: PrivateKey, *, encrypt: bool) -> bytes:
    in_use = files.read(spoke.key_file, "the private key") if stands(spoke.key_file) else b""
    encryption: KeySerializationEncryption = NoEncryption()
    if (encrypt or is_encrypted(in_use)) and not stands(spoke.pending / KEY):
        encryption = BestAvailableEncryption(new_passphrase(spoke.pending / KEY))
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def _key(path: Path, key_type: KeyType, brought: HeldKey | None) -> PrivateKey:
    if brought:
        if stands(path) and read_key(path).spki_pin != brought.spki_pin:
            raise Conflict(f"{path} is another key, and is never overwritten. Move it away, or name no key.")
        return brought.key
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
