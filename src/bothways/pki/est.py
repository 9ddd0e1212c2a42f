"""What EST (RFC 7030) sends and takes, as bytes: bodies in base64, certs-only messages, wished attributes. No HTTP."""

import base64
import binascii
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from bothways.contract.document import KeyType, RequestTerms
from bothways.errors import Refused
from bothways.findings import Finding
from bothways.pki import der
from bothways.pki.disclosed import has_private_key
from bothways.pki.keys import RSA_BITS

BODY_LIMIT = 32 * 1024
"""Bytes that a body may have: a request of 16 KiB in base64, with line ends."""

_EC_PUBLIC_KEY, _P256, _RSA = "1.2.840.10045.2.1", "1.2.840.10045.3.1.7", "1.2.840.113549.1.1.1"
_ECDSA_SHA256, _RSA_SHA256 = "1.2.840.10045.4.3.2", "1.2.840.113549.1.1.11"


def decoded(body: bytes) -> bytes:
    """Return what is in the body of a request: base64 in one line or in many (RFC 8951 section 3.1), or PEM as it is.

    A body that shows a private key comes back as it is, for whoever refuses it and bans the key. Raises `Refused`.
    """
    if len(body) > BODY_LIMIT:
        raise _refused(f"{len(body)} bytes were sent, at most {BODY_LIMIT} are read")
    if body.lstrip().startswith(b"-----BEGIN ") or has_private_key(body):
        return body
    try:
        content = base64.b64decode(b"".join(body.split()), validate=True)
    except binascii.Error as error:
        raise _refused(f"the body is no base64: {error}") from error
    if not content:
        raise _refused("the body is empty")
    return content


def encoded(content: bytes) -> bytes:
    """Return the body of an answer: base64 in one line, which every client reads."""
    return base64.b64encode(content)


def certs_only(certificates: Sequence[x509.Certificate]) -> bytes:
    """Return certificates as a certs-only CMC Simple PKI Response in DER (RFC 7030 sections 4.1.3 and 4.2.3)."""
    return pkcs7.serialize_certificates(list(certificates), Encoding.DER)


def csr_attributes(terms: RequestTerms) -> bytes:
    """Return the CsrAttrs (RFC 7030 section 4.5.2) in DER: the contract's keys, and the signatures to them.

    The subject is not in it: each customer's is its own, and its contract says how it is made.
    """
    wanted = []
    if KeyType.ECDSA in terms.keys:
        wanted += [_attribute(_EC_PUBLIC_KEY, der.oid(_P256)), der.oid(_ECDSA_SHA256)]
    if KeyType.RSA in terms.keys:
        wanted += [_attribute(_RSA, der.integer(RSA_BITS)), der.oid(_RSA_SHA256)]
    return der.sequence(*wanted)


def same_subject(one: x509.Name, other: x509.Name) -> bool:
    """Tell whether two subjects have the same attributes; their order is the CA's to choose, and not compared."""

    def attributes(name: x509.Name) -> list[tuple[str, str | bytes]]:
        return sorted(((each.oid.dotted_string, each.value) for each in name), key=repr)

    return attributes(one) == attributes(other)


def _attribute(kind: str, value: bytes) -> bytes:
    return der.sequence(der.oid(kind), der.tagged(der.SET, value))


def _refused(message: str) -> Refused:
    hint = "Send a PKCS #10 request in DER, in base64, as application/pkcs10."
    return Refused((Finding("EST-BODY-01", message, hint, "RFC 7030 section 4.2.1; RFC 8951 section 3.1", "the body"),))
