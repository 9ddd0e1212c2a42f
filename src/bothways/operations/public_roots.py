"""The CAs that every browser trusts: Mozilla's list, as the package `certifi` brings it."""

import base64
import re
from functools import cache

import certifi

from bothways.pki import der
from bothways.pki.keys import sha256

_BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----")
_VERSION = 0xA0
_SPKI = 5
"""The place of SubjectPublicKeyInfo after the version, which old certificates do not have (RFC 5280 section 4.1)."""


@cache
def public_root_pins() -> frozenset[str]:
    """Return their SPKI pins: a CA is known by its key, whatever certificate is shown of it."""
    return frozenset(_pin(base64.b64decode(match[1])) for match in _BLOCK.finditer(certifi.contents()))


def _pin(certificate: bytes) -> str:
    content = der.parts(der.parts(certificate)[0])
    return sha256(content[_SPKI + (content[0][0] == _VERSION)])
