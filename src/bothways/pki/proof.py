"""The rules without which there is no request: it can be read, in one way only, and its sender holds the key.

They need no contract. What passes them becomes a `CertificationRequest`; what is agreed is judged in `rules`.
"""

from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bothways.findings import Level
from bothways.pki.encoding import BROKEN_DIGESTS
from bothways.pki.mistaken import STRINGS_HINT, broken_string
from bothways.pki.reading import Reading
from bothways.pki.rule import Rule, Said

_AGAIN = "Make the request again with the key that it is for, and submit the file unchanged."
_NEW_KEY = "Make a new key, and a request for it, with the printed commands."
_P256 = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")
"""How SubjectPublicKeyInfo of P-256 begins, before its point (RFC 5480 section 2)."""
_UNCOMPRESSED = 0x04
_ONCE = "Make the request again, with each attribute once and with one value; the printed commands make none."
_SAME = {"1.3.6.1.4.1.311.2.1.14": "1.2.840.113549.1.9.14"}
"""Microsoft's older attribute for requested extensions; the library reads whichever comes first."""


def key_is_readable(reading: Reading) -> Iterator[Said]:
    """The key is one: its point lies on the curve, its numbers can be those of a key."""
    if reading.public_key is None:
        yield f"the key cannot be used: {reading.unreadable['key']}", _NEW_KEY


def key_is_written_in_the_usual_form(reading: Reading) -> Iterator[Said]:
    """A named curve with an uncompressed point, or plain RSA, octet for octet as the library writes it.

    The library reads explicit parameters as the curve that they equal, and compressed and hybrid points as points.
    """
    key = reading.public_key
    if key is None:
        return
    if isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        point = reading.spki[len(_P256) :]
        if reading.spki.startswith(_P256) and point[:1] == bytes((_UNCOMPRESSED,)):
            return
        if key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == reading.spki:
            return
        yield (
            "the key is not written in the usual form: a named curve with an uncompressed point, or plain RSA",
            _NEW_KEY,
        )


def digest_is_sound(reading: Reading) -> Iterator[Said]:
    """Under a broken or unknown digest a signature proves nothing."""
    if reading.digest in BROKEN_DIGESTS or reading.digest.startswith("the unknown"):
        yield f"the request is signed with {reading.digest}; sha256 is wanted", "Make it again with -sha256."


def sender_holds_the_key(reading: Reading) -> Iterator[Said]:
    """Proof of possession: the request is signed by the key that is in it."""
    if reading.possessed is False:
        yield "the request is not signed by the key that is in it", _AGAIN
    elif reading.possessed is None and reading.public_key is not None and not [*digest_is_sound(reading)]:
        yield "the signature of the request cannot be checked: its algorithm does not fit the key", _AGAIN


def subject_is_readable(reading: Reading) -> Iterator[Said]:
    """Each value of the subject is text in the string type that it claims."""
    if reading.subject is None:
        said = broken_string(reading.der) or f"the subject cannot be read: {reading.unreadable['subject']}"
        yield said, STRINGS_HINT


def attributes_stand_once(reading: Reading) -> Iterator[Said]:
    """No attribute twice, and none with more or less than one value: readers would disagree about what is asked."""
    seen = set()
    for name, count in reading.attributes:
        if (kind := _SAME.get(name, name)) in seen:
            yield f"the attribute {name} stands more than once", _ONCE
        seen.add(kind)
        if count != 1:
            yield f"the attribute {name} has {count} values; one is wanted", _ONCE


def extensions_are_readable(reading: Reading) -> Iterator[Said]:
    """Each requested extension stands once, and can be read."""
    if reading.extensions is None and not [*attributes_stand_once(reading)]:
        said = f"the requested extensions cannot be read: {reading.unreadable['extensions']}"
        yield said, "Make the request again without extensions; the certificate is built from the hub's profile."


PROOF: tuple[Rule[Reading], ...] = (
    Rule("CSR-KEY-05", "R7; RFC 8017 section 3.1; SP 800-56A section 5.6.2.3", Level.ERROR, key_is_readable),
    Rule(
        "CSR-KEY-04",
        "R7; RFC 5480 section 2.1.1; RFC 3279 section 2.3.1",
        Level.ERROR,
        key_is_written_in_the_usual_form,
    ),
    Rule("CSR-KEY-02", "R7", Level.ERROR, digest_is_sound),
    Rule("CSR-POP-01", "RFC 2986 section 3", Level.ERROR, sender_holds_the_key),
    Rule("CSR-SUBJECT-06", "RFC 5280 section 4.1.2.4", Level.ERROR, subject_is_readable),
    Rule("CSR-ATTRIBUTE-01", "RFC 2986 section 4.1; RFC 2985 section 5.4", Level.ERROR, attributes_stand_once),
    Rule("CSR-EXTENSION-02", "RFC 5280 section 4.2", Level.ERROR, extensions_are_readable),
)

FORM = tuple(rule for rule in PROOF if rule.check is not sender_holds_the_key)
"""The same but for the proof of possession: for what another process of the hub has found to be possessed."""
