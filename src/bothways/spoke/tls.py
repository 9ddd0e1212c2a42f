"""What both of the spoke's TLS sides need: loading a certificate with its key, and trust anchors."""

import ssl
from collections.abc import Callable
from pathlib import Path

from cryptography import x509

from bothways import files
from bothways.contract.document import Contract
from bothways.errors import Refused, Unusable
from bothways.findings import Finding
from bothways.pki.chain import certificate_pem, is_authority, readable
from bothways.pki.encoding import UNREADABLE
from bothways.pki.keys import spki_pin
from bothways.spoke.pair import private_key
from bothways.spoke.passphrase import passphrase, pin
from bothways.spoke.provider import provide
from bothways.spoke.token_key import is_reference, referenced


def load_pair(context: ssl.SSLContext, certificate: Path, key: Path) -> x509.Certificate:
    """Load the certificate chain and its key, both in PEM, into the context, and return the end entity's certificate.

    Raises `Unusable` if they cannot be read, or do not belong together.
    """
    for last in (False, True):
        try:
            end_entity = _end_entity(certificate)
            pem = files.read(key, "the private key")
            ours = private_key(pem, key)
            if spki_pin(ours.public_key()) == spki_pin(end_entity.public_key()):
                context.load_cert_chain(certificate, key, _secret(pem, key))
                return end_entity
        except ssl.SSLError as error:
            if last:
                raise Unusable(f"{certificate} and {key} are not taken by OpenSSL: {_why(error, pem, key)}") from error
        # The pair was changed between two reads, perhaps: once more.
    raise Unusable(
        f"{certificate} and {key} do not belong together: the certificate is for another key. "
        "Name a certificate with its own key."
    )


def client_anchors(contract: Contract) -> tuple[x509.Certificate, ...]:
    """Return the CAs under which the hub's client certificate has to be: two while one follows the other (R12).

    Raises `Refused` for a certificate that is no CA's: trusting the hub's certificate itself would pin it (R15).
    """
    if not contract.trust.client_ca:
        raise Unusable(
            "the hub's Client CA is not known yet, and nobody else may call. Take it from the hub's portal or "
            "representative, and add it: bothways spoke install --client-ca FILE"
        )
    if not contract.terms.hub:
        raise Unusable(
            "the name in the hub's client certificate is not known yet, and the Client CA may vouch for others too. "
            "Ask the hub's representative, and write it into contract.toml: domain, under [hub]."
        )
    found = tuple(x509.load_pem_x509_certificates(contract.trust.client_ca.encode()))
    pinned = [each for each in found if not is_authority(each)]
    hint = "The hub changes its certificate without notice. Take the contract again, which names its Client CA."
    if pinned or not found:
        named = ", ".join(each.subject.rfc4514_string() for each in pinned) or "nothing"
        message = f"the contract names {named} as Client CA, which is no CA (BasicConstraints)"
        raise Refused((Finding("SPOKE-PIN", message, hint, "R15", "trust.client_ca"),))
    return found


def anchors(pem: str) -> str:
    """Return the certificates in the PEM text as OpenSSL takes them: PEM in ASCII, without what was written around."""
    # Not DER: at its end OpenSSL pushes no error, and Python takes one that a PKCS#11 library left behind for its own.
    return "".join(certificate_pem(each) for each in x509.load_pem_x509_certificates(pem.encode()))


def _secret(pem: bytes, key: Path) -> Callable[[], bytes]:
    """Return what OpenSSL asks for the passphrase, or for the PIN of a token, which it is enabled to reach."""
    if not is_reference(pem):
        return lambda: passphrase(key)
    uri = referenced(pem, key)
    provide(uri)
    return lambda: pin(uri)


def _why(error: ssl.SSLError, pem: bytes, key: Path) -> str:
    if not is_reference(pem):
        return f"{error.reason or error}. Check both files."
    uri = referenced(pem, key)
    return (
        f"{error.reason or error}. The key {uri.object} has to be in the token {uri.token}, and the PIN to be right. "
        f"Look with: softhsm2-util --show-slots, or pkcs11-tool --module {uri.module} --list-objects --login"
    )


def _end_entity(path: Path) -> x509.Certificate:
    try:
        return readable(x509.load_pem_x509_certificates(files.read(path, "the certificate"))[0])
    except UNREADABLE as error:
        raise Unusable(
            f"{path} holds no certificate in PEM. Name the file that begins with BEGIN CERTIFICATE."
        ) from error
