"""What the rules look at: a request, taken apart once, and for whom it is judged."""

from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from bothways.contract.document import KeyType
from bothways.pki import keys
from bothways.pki.reading import Reading
from bothways.pki.rule import Applicant

SUBJECT = {
    "C": NameOID.COUNTRY_NAME,
    "ST": NameOID.STATE_OR_PROVINCE_NAME,
    "L": NameOID.LOCALITY_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "CN": NameOID.COMMON_NAME,
}
"""The attributes that R9 wants, each exactly once."""

SHORT_NAMES = {oid.dotted_string: name for name, oid in SUBJECT.items()}

Attribute = x509.NameAttribute[str | bytes]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request and its applicant. `rdns` are the attributes of the subject, one tuple for each part of it.

    `values` are the attributes of the agreed kinds, by their short names, in the order in which they came. `marker` is
    the algorithm's marker that the key calls for (R8), or None if its algorithm has none; `modulus` is that of RSA.
    """

    reading: Reading
    applicant: Applicant
    rdns: tuple[tuple[Attribute, ...], ...]
    values: dict[str, list[Attribute]]
    marker: KeyType | None
    modulus: int | None


def asked(reading: Reading, applicant: Applicant) -> Asked:
    """Return the request, taken apart. A subject that cannot be read counts as empty; `proof` names it."""
    rdns = tuple(tuple(rdn) for rdn in reading.subject.rdns) if reading.subject else ()
    values: dict[str, list[Attribute]] = {name: [] for name in SUBJECT}
    for rdn in rdns:
        for attribute in rdn:
            if name := SHORT_NAMES.get(attribute.oid.dotted_string):
                values[name].append(attribute)
    key = reading.public_key
    modulus = key.public_numbers().n if isinstance(key, rsa.RSAPublicKey) else None
    return Asked(reading, applicant, rdns, values, keys.key_type(key) if key else None, modulus)


def text(attribute: Attribute) -> str:
    """Return the value of an attribute; octets, which no agreed attribute has, as hex."""
    return attribute.value if isinstance(attribute.value, str) else attribute.value.hex()
