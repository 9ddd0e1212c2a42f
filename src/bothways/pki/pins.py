"""The SPKI pins in whatever somebody has who wants to name a key, which may be the private key itself."""

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import cast

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import load_der_public_key

from bothways.pki import pasted
from bothways.pki.disclosed import spoiled_pins
from bothways.pki.encoding import UNREADABLE
from bothways.pki.keys import spki_pin

_PINS = re.compile(r"(?:[0-9a-f]{64}\s+)*[0-9a-f]{64}", re.ASCII | re.IGNORECASE)


def named_keys(data: bytes) -> frozenset[str]:
    """Return the SPKI pins of the keys that `data` names, none if it names none.

    It is certificates, requests, public or private keys in PEM (any number) or DER (one); or pins themselves.
    """
    text = pasted.plain(data)[0].decode(errors="replace").strip()
    if _PINS.fullmatch(text):
        return frozenset(text.lower().split())
    return spoiled_pins(data).union(*(_public(piece) for piece in pasted.pieces(data)))


def _public(der: bytes) -> Iterator[str]:
    for read in (_of_certificate, _of_request, load_der_public_key):
        with suppress(*UNREADABLE):
            yield spki_pin(cast("CertificatePublicKeyTypes", read(der)))


def _of_certificate(der: bytes) -> CertificatePublicKeyTypes:
    return x509.load_der_x509_certificate(der).public_key()


def _of_request(der: bytes) -> CertificatePublicKeyTypes:
    return x509.load_der_x509_csr(der).public_key()
